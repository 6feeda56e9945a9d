"""Take the tests out of installed packages, and out of their RECORD, so that the image stays small."""

import csv
import shutil
import sys
from pathlib import Path


def trim(site: Path) -> None:
    """Trim one folder of packages; what is gone is no longer on record."""
    for folder in sorted(site.rglob("*")):
        if folder.name in {"test", "tests"} and folder.is_dir():
            shutil.rmtree(folder)
    shutil.rmtree(site / "torch/include", ignore_errors=True)
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(newline="") as file:
            rows = [row for row in csv.reader(file) if (site / row[0]).exists()]
        with record.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


for name in sys.argv[1:]:
    trim(Path(name))
