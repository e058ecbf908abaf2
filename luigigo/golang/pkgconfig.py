"""Ask pkg-config for a package's C flags. Runs it; knows nothing of compilers."""

from __future__ import annotations

from collections.abc import Mapping

from luigigo.errors import PlanError
from luigigo.golang import quoted
from luigigo.golang.cflags import AllowedFlags, FlagCheck, is_safe_argument, require_valid, split_pkg_config
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.process import Command, Runner


class PkgConfig:
    """Answers for the packages of one build."""

    def __init__(
        self, runner: Runner, env: GoEnv, allowed: AllowedFlags, variables: Mapping[str, str]
    ) -> None:
        self._runner = runner
        self._program = (quoted.split(env.pkg_config) or ["pkg-config"])[0]
        self._allowed = allowed
        self._rules = env.flag_rules
        self._variables = dict(variables)

    def flags(self, package: Package) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The C and linker flags that pkg-config gives for a package (getPkgConfigFlags).

        Raises `PlanError` with pkg-config's own words when it fails.
        """
        arguments = [argument for argument in package.cgo_pkg_config if argument != "--"]
        options = [argument for argument in arguments if argument.startswith("--")]
        names = [argument for argument in arguments if not argument.startswith("--")]
        if not names and not options:
            return (), ()
        for name in names:
            if not is_safe_argument(name):
                raise PlanError(f"{package.import_path}: invalid pkg-config package name: {name}")
        check = FlagCheck("pkg-config", "pkg-config", tuple(options))
        require_valid(check, self._allowed, {}, package.import_path)
        c_flags = self._output(package, (self._program, "--cflags", *options, "--", *names))
        ld_flags = self._output(package, (self._program, "--libs", *options, "--", *names))
        for flag_check in (
            FlagCheck("CFLAGS", "pkg-config --cflags", tuple(c_flags)),
            FlagCheck("LDFLAGS", "pkg-config --libs", tuple(ld_flags)),
        ):
            require_valid(flag_check, self._allowed, self._rules, package.import_path)
        return tuple(c_flags), tuple(ld_flags)

    def _output(self, package: Package, argv: tuple[str, ...]) -> list[str]:
        command = Command(argv=argv, cwd=package.dir, env=self._variables)
        try:
            finished = self._runner.run(command)
        except FileNotFoundError as error:
            raise PlanError(
                f"# {package.import_path}\n{argv[0]} is not installed, and #cgo pkg-config asks for it"
            ) from error
        text = finished.output.decode(errors="surrogateescape")
        if finished.exit_code != 0:
            raise PlanError(f"# {package.import_path}\n# [{' '.join(argv)}]\n{text.rstrip()}")
        return split_pkg_config(text)
