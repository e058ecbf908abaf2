"""The commands of each kind of action, in their order, and the files between them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from luigigo.golang import cflags, cgo, compile, directives, embed, ldflags, link
from luigigo.golang.actions import CgoSpec, CompileSpec, LinkSpec, PreprofileSpec, on_node
from luigigo.golang.run import archive
from luigigo.golang.run.job import Job, JobFailed
from luigigo.store.bundles import UnsoundBundle, pack, unpack

_GO_ASSEMBLY_WORDS = (b"TEXT", b"DATA", b"GLOBL")


def make_outputs(job: Job, inputs: Mapping[str, str]) -> dict[str, str]:
    """Run the action's tools; return the paths of its outputs by role, in the job's work folder.

    `inputs` are the paths of what the dependencies made. Raises `JobFailed` with the tools' words.
    """
    spec = job.action.spec
    if isinstance(spec, CompileSpec):
        return _compile(job, spec, inputs)
    if isinstance(spec, CgoSpec):
        return _build_c(job, spec)
    if isinstance(spec, LinkSpec):
        return _link(job, spec, inputs)
    assert isinstance(spec, PreprofileSpec)
    return _preprofile(job)


def _compile(job: Job, spec: CompileSpec, inputs: Mapping[str, str]) -> dict[str, str]:
    layout = job.layout
    go_files = [layout.source(file.name) for file in spec.go_files]
    _check_directives(job, go_files)
    s_files = [layout.source(file.name) for file in spec.s_files]
    objects: list[str] = []
    if " cgo" in inputs:
        generated, objects = _unpack_c_part(job, inputs[" cgo"])
        go_files += generated
    if not go_files:
        folder = on_node(job.action.sources.dir, layout.goroot)
        # What is left of the package are tests (load.NoGoError).
        raise job.say(
            f"build constraints exclude all Go files in {folder}"
            if spec.has_excluded
            else f"no non-test Go files in {folder}"
        )
    options = {"-c": str(job.backend_workers)}
    if s_files:
        options["-symabis"] = layout.object("symabis")
        options["-asmhdr"] = layout.object("go_asm.h")
        _write(layout.object("go_asm.h"), b"")
        argv = compile.asm_argv(layout, spec.asm_flags, options["-symabis"], s_files, symabis=True)
        job.go_tool(argv, layout.source_dir)
    if " profile" in inputs:
        options["-pgoprofile"] = inputs[" profile"]
    if spec.embed_patterns:
        options["-embedcfg"] = layout.object("embedcfg")
        files = [file.name for file in spec.embed_files]
        _write(options["-embedcfg"], embed.embedcfg(spec.embed_patterns, files, layout.source_dir))
    packages = [(path, inputs[path]) for path, _ in job.action.imports]
    _write(layout.object("importcfg"), os.fsencode(compile.importcfg(spec.import_map, packages)))
    job.go_tool(compile.compile_argv(layout, spec.compile_flags, options, go_files))
    assembled = _assemble(job, spec, s_files)
    syso = [layout.source(file.name) for file in spec.syso_files]
    archive.append(layout.object("_pkg_.a"), [*assembled, *objects, *syso])
    return {"export": layout.object("_pkg_.x"), "object": layout.object("_pkg_.a")}


def _check_directives(job: Job, paths: list[str]) -> None:
    """Refuse what `go build` refuses though `go list` and the compiler do not: wrong `//go:debug` lines."""
    if job.layout.source_dir.startswith(job.layout.goroot + "/"):
        return
    suspects = [(path, content) for path in paths if directives.MARK in (content := _content(path))]
    if not suspects:
        return
    with open(os.path.join(job.layout.goroot, directives.TABLE), encoding="utf-8") as file:
        settings = directives.parse_table(file.read(), job.plan.toolchain.version)
    complaints = directives.complaints(suspects, settings)
    if complaints:
        raise job.refuse(complaints)


def _assemble(job: Job, spec: CompileSpec, s_files: list[str]) -> list[str]:
    layout = job.layout
    if s_files:
        for file in spec.h_files:
            generic = compile.generic_header_name(file.name, spec.goos, spec.goarch)
            if generic is not None:
                shutil.copyfile(layout.source(file.name), layout.object(generic))
    outputs = []
    for path in s_files:
        output = layout.object(os.path.basename(path).removesuffix(".s") + ".o")
        job.go_tool(
            compile.asm_argv(layout, spec.asm_flags, output, [path], symabis=False), layout.source_dir
        )
        outputs.append(output)
    return outputs


def _unpack_c_part(job: Job, bundle: str) -> tuple[list[str], list[str]]:
    """Unpack what the cgo action made: generated Go files, and objects in their order."""
    layout = job.layout
    try:
        names = unpack(bundle, layout.object_dir)
    except UnsoundBundle as error:
        raise job.fail(f"its C part is damaged: {error}") from error
    go_files = [layout.object(name) for name in names if name.endswith(".go")]
    for path in go_files:
        with open(path, "rb") as file:
            text = file.read()
        os.chmod(path, 0o644)
        _write(path, cgo.reveal_source(text, layout.source_dir))
    return go_files, [layout.object(name) for name in names if not name.endswith(".go")]


def _build_c(job: Job, spec: CgoSpec) -> dict[str, str]:
    layout = job.layout
    _check_directives(job, [layout.source(file.name) for file in spec.cgo_files])
    cgo_variables = {"TERM": "dumb", **({"CGO_LDFLAGS": ""} if spec.ld_flags else {})}
    job.go_tool(cgo.cgo_argv(spec, layout), layout.source_dir, cgo_variables, calls_c=True)
    objects = []
    if spec.prefer_external:
        objects.append(layout.object("preferlinkext"))
        _write(objects[0], b"")
    objects += _compile_c(job, spec)
    go_files = [layout.object(name) for name in cgo.generated_go_files(spec)]
    if _links_internally(job, spec, objects):
        job.go_tool(cgo.dynimport_argv(spec, layout), layout.source_dir, cgo_variables, calls_c=True)
        go_files.append(layout.object("_cgo_import.go"))
    else:
        objects.append(layout.object("dynimportfail"))
        _write(objects[-1], b"")
    _check_linker_flags(job, spec, go_files)
    for path in go_files:
        _write(path, cgo.hide_source(_content(path), layout.source_dir))
    bundle = layout.object("bundle")
    pack([(os.path.basename(path), path) for path in (*go_files, *objects)], bundle)
    return {"bundle": bundle}


def _compile_c(job: Job, spec: CgoSpec) -> list[str]:
    """Compile each C file; return the objects. One that fails keeps no other from telling its errors."""
    objects, failures = [], 0
    for number, file in enumerate(cgo.c_compilations(spec, job.layout), start=1):
        output = job.layout.object(f"_x{number:03d}.o")
        objects.append(output)
        try:
            _refuse_go_assembly(job, spec, file[0])
            job.c_tool(cgo.cc_argv(spec, job.layout, job.c_root, file, output), os.path.dirname(file[0]))
        except JobFailed as failed:
            if not failed.ending.is_verdict:
                raise
            job.note(*failed.said)
            failures += 1
    if failures:
        raise JobFailed()
    return objects


def _check_linker_flags(job: Job, spec: CgoSpec, go_files: list[str]) -> None:
    """Refuse flags for the linker that are in generated files and were not planned."""
    generated = [_content(path) for path in go_files if os.path.basename(path).startswith("_cgo_")]
    unplanned = ldflags.unplanned_flags(generated, spec.ld_flags)
    if unplanned:
        check = cflags.FlagCheck("LDFLAGS", "go:cgo_ldflag", unplanned)
        reason = cflags.find_invalid(check, cflags.read_allowed_flags(job.layout.goroot), job.variables)
        if reason:
            raise job.fail(reason)


def _links_internally(job: Job, spec: CgoSpec, objects: list[str]) -> bool:
    """The trial link of cgo: whether the objects link by themselves (dynimport)."""
    layout = job.layout
    main_object = layout.object("_cgo_main.o")
    main_source = layout.object("_cgo_main.c")
    job.c_tool(cgo.cc_argv(spec, layout, job.c_root, (main_source, False), main_object), layout.object_dir)
    syso = [on_node(path, layout.goroot) for path in job.action.sources.syso_paths]
    is_arm_linux = ("GOARCH", "arm") in spec.environment and ("GOOS", "linux") in spec.environment
    argv = cgo.test_link_argv(spec, layout, [main_object, *objects, *syso], pie=is_arm_linux)
    return job.c_tool(argv, job.current_dir or layout.object_dir, may_fail=True)


def _refuse_go_assembly(job: Job, spec: CgoSpec, path: str) -> None:
    """A package with cgo has its assembly read by the C compiler, which does not know Go's (gas)."""
    for file in spec.s_files:
        if path == job.layout.source(file.name):
            text = b"\n" + _content(path)
            if any(b"\n" + word in text for word in _GO_ASSEMBLY_WORDS):
                raise job.say(f"package using cgo has Go assembly file {file.name}")


def _link(job: Job, spec: LinkSpec, inputs: Mapping[str, str]) -> dict[str, str]:
    layout = job.layout
    packages = [(path, inputs[path]) for path, _ in job.action.imports]
    _write(layout.object("importcfg.link"), os.fsencode(compile.link_importcfg(packages, spec.modinfo)))
    # Linkers name it in their messages.
    os.mkdir(layout.object("exe"))
    output = layout.object("exe/a.out")
    argv = link.link_argv(layout, spec.link_flags, output, inputs[spec.import_path])
    # -trimpath: the linker must not know where the toolchain lies (gc.go, ld).
    calls_c = spec.compilers is not None
    job.go_tool(argv, job.current_dir, {"GOROOT": ""}, calls_c=calls_c)
    return {"binary": output}


def _preprofile(job: Job) -> dict[str, str]:
    output = job.layout.object("pgo.preprofile")
    job.go_tool((job.layout.tool("preprofile"), "-o", output, "-i", job.action.sources.profile_path))
    return {"profile": output}


def _content(path: str) -> bytes:
    """A source file; empty when it vanished, which the compiler will say."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
