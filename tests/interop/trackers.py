"""Opens what experiment trackers open: python tests/interop/trackers.py DIR STEM.

DIR holds the files of one run as they were downloaded and snippets.json (a name of a file to its
"language" and "text"). Every figure must be that of STEM.csv."""

import sys
from pathlib import Path

import check_tensorboard
import check_wandb
from tracked import Run


def main():
    run = Run(Path(sys.argv[1]), sys.argv[2])
    check_tensorboard.check(run)
    check_wandb.check(run)


if __name__ == "__main__":
    main()
