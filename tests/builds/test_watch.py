"""`luigigo watch` with the real go command, editors' ways of saving, and programs that run on."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support import Lab, free_port, wait_until

pytestmark = pytest.mark.builds

MAIN = 'package main\n\nimport "example.com/w/p"\n\nfunc main() { println(p.Name) }\n'
P = 'package p\n\nvar Name = "first"\n'


class Watched:
    """A watch that runs, with what it has said so far."""

    def __init__(self, lab: Lab, project: Path, *arguments: object, output: str = "") -> None:
        self.log = lab.folder / "watch.log"
        self.output = lab.output_of(project)
        with open(self.log, "wb") as log:
            options = ("-o", output or str(self.output), str(project))
            self.process = lab.start("luigigo", "watch", *options, *arguments, stderr=log, stdout=log)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, count: int = 1) -> None:
        wait_until(lambda: len(re.findall(pattern, self.said())) >= count, f"for {pattern}: {self.said()}")

    def builds(self) -> int:
        return len(re.findall(r" ran, (?:\d+ cut off, )?\d+ ms$|failed after", self.said(), re.MULTILINE))

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program of two packages."""
    return lab.write({"go.mod": "module example.com/w\n\ngo 1.26\n", "main.go": MAIN, "p/p.go": P}, "w")


def save_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def save_by_rename(path: Path, text: str) -> None:
    """As vim does: a helper file, the old one moved away, the new one in its place."""
    (path.parent / "4913").touch()
    (path.parent / "4913").unlink()
    (path.parent / f".{path.name}.swp").write_text("swap")
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


@pytest.mark.parametrize("save", [save_in_place, save_by_rename])
def test_a_save_is_built(lab: Lab, project: Path, save: Callable[[Path, str], None]) -> None:
    """After each save the binary is go build's, however the editor saves; the line says what changed."""
    watch = Watched(lab, project)
    watch.wait_for(r"w.bin: \d+ actions? ran")
    save(project / "p/p.go", P.replace("first", "second"))
    watch.wait_for(r"w/p/p.go changed: w.bin: 2 actions ran|w/p/p.go changed: w.bin: 3 actions ran")
    lab.assert_identical(project)
    assert watch.end() == 130


def test_a_watch_begins_where_a_build_had_nothing_to_do(lab: Lab, project: Path) -> None:
    """The same command line as that of a build that is up to date is watched like any other."""
    for _ in range(2):
        assert lab.luigigo("build", "-o", lab.output_of(project), project).returncode == 0
    watch = Watched(lab, project)
    watch.wait_for("w.bin: 0 actions ran")
    (project / "p/p.go").write_text(P.replace("first", "second"))
    watch.wait_for("p.go changed: w.bin")
    lab.assert_identical(project)
    watch.end()


def test_what_is_new_is_followed(lab: Lab, project: Path) -> None:
    """A package that is added is watched from then on; one that was missing is found when it appears."""
    watch = Watched(lab, project)
    watch.wait_for("w.bin: ")
    (project / "main.go").write_text(MAIN.replace("import", 'import _ "example.com/w/q"\nimport'))
    watch.wait_for("failed after")
    lab.write({"q/q.go": "package q\n\nvar Q = 1\n"}, "w")
    watch.wait_for("w.bin: ", 2)
    (project / "q/q.go").write_text("package q\n\nvar Q = 2\n")
    watch.wait_for("w/q/q.go changed: w.bin")
    lab.assert_identical(project)
    watch.end()


def test_looking_at_files_builds_nothing(lab: Lab, project: Path) -> None:
    """Reading all, listing and asking git ten times is no change, and costs the watch next to nothing."""
    subprocess.run(["git", "init", "-q", project], check=True)
    watch = Watched(lab, project)
    watch.wait_for("w.bin: ")
    time.sleep(1.0)
    builds, before = watch.builds(), psutil.Process(watch.process.pid).cpu_times()
    environment = lab.go.plain_environment(lab.environment)
    for _ in range(10):
        subprocess.run(["grep", "-r", ".", project], stdout=subprocess.DEVNULL, check=True)
        subprocess.run(
            [lab.go.path, "list", "./..."],
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        subprocess.run(["git", "status"], cwd=project, stdout=subprocess.DEVNULL, check=True)
    (project / "p/p.go").write_text(P)
    time.sleep(3.0)
    after = psutil.Process(watch.process.pid).cpu_times()
    assert watch.builds() == builds, watch.said()
    assert after.user + after.system - before.user - before.system < 0.2
    watch.end()


def test_a_folder_that_it_makes_for_the_binary_is_no_change(lab: Lab, project: Path) -> None:
    """What a build makes in the project, such as `bin`, builds nothing; an edit is the only other build."""
    watch = Watched(lab, project, output=str(project / "bin/app"))
    watch.wait_for(r"app: \d+ actions? ran")
    time.sleep(2.0)
    (project / "p/p.go").write_text(P.replace("first", "second"))
    watch.wait_for("p.go changed: ")
    assert watch.builds() == 2, watch.said()
    watch.end()


def test_a_checkout_is_one_build(lab: Lab, project: Path) -> None:
    """Thousands of files that change one after the other lead to one build that is not cancelled."""
    many = {f"p/f{number}.go": f"package p\n\nvar F{number} = 1\n" for number in range(2000)}
    lab.write(many, "w")
    watch = Watched(lab, project)
    watch.wait_for("w.bin: ")
    builds = watch.builds()
    for name, text in many.items():
        (project / name).write_text(text.replace("= 1", "= 2"))
    watch.wait_for("and 1997 more changed|more changed: w.bin")
    time.sleep(1.5)
    assert watch.builds() == builds + 1, watch.said()
    lab.assert_identical(project)
    watch.end()


def test_an_edit_during_a_build_counts(lab: Lab, project: Path) -> None:
    """A build that did not see the last edit is given up; nothing of it is said, and the next one has it."""
    table = "".join(f"\tfunc(n int) int {{ return n*{n} }},\n" for n in range(6000))
    watch = Watched(lab, project)
    watch.wait_for("w.bin: ")
    (project / "p/p.go").write_text(
        f'package p\n\nvar Name = "slow"\n\nvar T = []func(int) int{{\n{table}}}\n'
    )
    wait_until(
        lambda: any("compile" in each.name() for each in psutil.Process(watch.process.pid).children(True))
    )
    (project / "p/p.go").write_text(P.replace("first", "last"))
    watch.wait_for("p.go changed: w.bin")
    lab.assert_identical(project)
    assert "interrupted" not in watch.said()
    assert watch.builds() == 2
    watch.end()


SERVER = """package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

const version = "v0"

func main() {
	child := exec.Command("sleep", "1001")
	child.Start()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, version) })
	go func() {
		if err := http.ListenAndServe("127.0.0.1:PORT", nil); err != nil {
			fmt.Println(err)
		}
	}()
	<-stop
	time.Sleep(2 * time.Second)
}
"""


def answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1) as reply:
            return str(reply.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def test_quick_saves_leave_one_server(lab: Lab) -> None:
    """Ten quick saves of a server that is slow to end: at last the newest runs alone; then none."""
    port = free_port()
    text = SERVER.replace("PORT", str(port))
    project = lab.write({"go.mod": "module example.com/w\n\ngo 1.26\n", "main.go": text}, "w")
    watch = Watched(lab, project, "--run")
    wait_until(lambda: answer(port) == "v0")
    for number in range(1, 11):
        (project / "main.go").write_text(text.replace("v0", f"v{number}"))
        time.sleep(0.3)
    wait_until(lambda: answer(port) == "v10")
    tree = psutil.Process(watch.process.pid).children(recursive=True)
    assert sorted(each.name() for each in tree) == ["sleep", "w.bin"]
    assert "address already in use" not in watch.said()
    assert watch.end() == 130
    assert not psutil.wait_procs(tree, 5)[1]


def test_a_program_starts_once_its_source_is_mended(lab: Lab, project: Path) -> None:
    """The error of a first build stays on the screen; mended, the program starts and the error goes."""
    (project / "p/p.go").write_text("package p\n\nfunc {\n")
    main, terminal = pty.openpty()
    argv = ["luigigo", "watch", "-o", lab.output_of(project), project, "--run"]
    process = lab.start(*argv, stdin=terminal, stdout=terminal, stderr=terminal, env={"TERM": "xterm"})
    os.close(terminal)
    screen = Screen(main)
    wait_until(lambda: "syntax error" in screen.text() and "failed after" in screen.text(), screen.text())
    (project / "p/p.go").write_text(P)
    wait_until(lambda: "first" in screen.text(), screen.text())
    assert "syntax error" not in screen.text()
    os.write(main, b"q")
    assert process.wait(20) == 0


class Screen:
    """What a terminal shows since it was cleared last."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._content = descriptor, b""
        os.set_blocking(descriptor, False)

    def text(self) -> str:
        """Read what came, and return what can be seen."""
        try:
            while chunk := os.read(self._descriptor, 1 << 16):
                self._content += chunk
        except OSError:
            pass
        return self._content.rpartition(b"\x1b[2J")[2].decode(errors="replace")


def test_tests_run_for_what_changed(lab: Lab, project: Path) -> None:
    """At first all packages are tested, then those whose sources or tests changed."""
    test = 'package p\n\nimport "testing"\n\nfunc TestName(t *testing.T) { println("tested", Name) }\n'
    lab.write({"p/p_test.go": test}, "w")
    watch = Watched(lab, project, "./...", "--test", output=f"{lab.folder}/bin/")
    watch.wait_for(r"ok\s+example.com/w/p")
    (project / "main.go").write_text(MAIN.replace("println", "print"))
    watch.wait_for(r"\?\s+example.com/w\s", 2)
    (project / "p/p_test.go").write_text(test.replace("tested", "again"))
    watch.wait_for(r"ok\s+example.com/w/p", 2)
    assert len(re.findall(r"\?\s+example.com/w\s", watch.said())) == 2
    watch.end()


def test_what_cannot_be_watched_is_named(lab: Lab, project: Path) -> None:
    """A folder that is no module, a command that is not there, a version: named before anything is built."""
    for arguments, words in (
        ((lab.folder / "nowhere",), "nowhere does not exist"),
        ((lab.write({"main.go": MAIN}, "no-module"),), "is in no Go module"),
        ((project, "--run", "no-such-command"), "no-such-command"),
        ((project, "--grace", "soon"), "--grace soon"),
        (("golang.org/x/tools/gopls@latest",), "never changes"),
        ((project, "-n"), "-n is for luigigo build"),
    ):
        result = lab.luigigo("watch", *arguments)
        assert result.returncode == 2, result.stderr
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1
