"""All bars of a run of the benchmarks in one table: python3 bars.py DIRECTORY, where their figures are. With what was said the time before, where that was something else."""
import json
import os
import sys

from bench import verdict_of


def main(directory):
    compared = same = 0
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            document = json.load(file)
        for row in document["figures"]:
            if not row["bar"]:
                continue
            print(f"  {document['benchmark']:<10} {row['what'].strip():<72} {row['value']:>10,} {row['unit']:<7} {row['bar']:<8} {verdict_of(row)}")
            if "verdict_before" in row:
                compared += 1
                same += row["verdict_before"] == row["verdict"]
    print(f"{same} of {compared} verdicts are those of the time before" if compared else "nothing to compare with: run it once more for that")


if __name__ == "__main__":
    main(sys.argv[1])
