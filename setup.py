"""Put the records beside the package, so that figures and notebooks find them in a wheel."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithRecords(build_py):
    """Build the package; its records are written into the pages, outside of it."""

    def run(self) -> None:
        """Copy the records behind the modules, unless the package is used where it lies."""
        super().run()
        if not self.editable_mode:
            recorded = Path(self.build_lib) / "dlbook" / "recorded"
            self.mkpath(str(recorded))
            for path in sorted(Path("docs/results").glob("[a-z]*.json")):
                self.copy_file(str(path), str(recorded / path.name))


setup(cmdclass={"build_py": WithRecords})
