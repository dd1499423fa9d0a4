"""The numbers that the paper prints (Qiao et al., IEEE TMI 2023, Tables I to IV), as printed.

They are of another cohort than any of ours, with label maps of another make: they say what to expect, no more.
In Table I the averages of ASSD are not all the mean of the three structures; they stand as in the paper.
"""

from __future__ import annotations

from cheart.evaluation.tables import Estimate, Table

CAPTION = "CHeart 2023, another cohort: 277 UK Digital Heart Project volunteers; not comparable number by number"

_STRUCTURES = ("LV", "Myo", "RV", "Average")
_PHENOTYPES = ("LVEDV", "LVESV", "RVEDV", "RVESV", "LVM")
_BOTH = ("mean", "best")

_PRINTED: dict[str, list[tuple[str, str, int, tuple[str, ...], str]]] = {
    "I": [
        (
            "table-1-dice", "Dice", 3, _STRUCTURES,
            """cvae-gan 0.845±0.028 0.697±0.054 0.832±0.028 0.791±0.032
               cvae     0.900±0.023 0.800±0.040 0.894±0.023 0.864±0.026
               pca      0.906±0.022 0.810±0.038 0.901±0.023 0.872±0.025
               cheart   0.908±0.023 0.814±0.037 0.902±0.021 0.874±0.024""",
        ),
        (
            "table-1-hd", "HD, mm", 3, _STRUCTURES,
            """cvae-gan 10.361±1.475 9.571±1.379 14.070±3.736 11.334±1.849
               cvae     5.920±1.335  5.891±1.055 6.525±1.076  6.112±1.049
               pca      5.517±1.029  5.710±1.125 6.165±1.072  5.797±0.978
               cheart   5.535±1.180  5.576±0.955 6.445±1.067  5.842±1.017""",
        ),
        (
            "table-1-assd", "ASSD, mm", 3, _STRUCTURES,
            """cvae-gan 2.120±0.390 1.670±0.236 2.244±0.399 1.983±0.306
               cvae     1.657±0.348 1.376±0.212 1.622±0.305 1.461±0.280
               pca      1.565±0.324 1.319±0.221 1.519±0.301 1.490±0.305
               cheart   1.535±0.330 1.298±0.208 1.620±0.323 1.462±0.266""",
        ),
    ],
    "II": [
        (
            "table-2", "Likeness, mean and best of 20", 3,
            tuple(f"{m} {b}" for m in ("Dice", "HD mm", "ASSD mm") for b in _BOTH),
            """cgan     0.713±0.061 0.717±0.061 15.533±2.258 13.956±2.326 3.004±0.714 2.862±0.712
               cvae     0.694±0.056 0.789±0.049 11.461±1.809 8.321±1.536  3.380±0.710 2.317±0.540
               cvae-gan 0.645±0.052 0.774±0.039 16.844±2.008 12.105±1.815 3.693±0.709 2.185±0.394
               cheart   0.713±0.058 0.793±0.052 10.940±2.343 8.166±1.621  3.023±0.757 2.049±0.521""",
        )
    ],
    "III": [
        (
            "table-3", "|d| of phenotypes (mL; LVM g), mean and best of 20", 2,
            tuple(f"{p} {b}" for p in _PHENOTYPES for b in _BOTH),
            """cgan     35.58±20.33 15.66±16.67 20.06±9.71 19.74±9.72 51.47±25.25 14.71±17.12 17.57±12.19 17.04±12.18
                        38.26±19.15 10.40±11.23
               cvae     35.74±16.99 4.91±9.84 13.92±6.06 1.87±3.46 44.97±21.58 6.46±12.92 19.49±9.21 2.86±5.74
                        23.07±9.96 2.70±4.33
               cvae-gan 51.32±20.40 6.33±11.96 19.80±6.53 1.69±2.57 48.94±28.66 8.28±17.52 25.26±10.99 2.57±4.11
                        51.03±11.40 8.29±7.91
               cheart   25.93±17.47 6.87±12.09 11.74±8.41 3.54±6.25 34.63±21.31 6.88±12.87 15.54±11.33 5.12±9.19
                        17.34±9.89 2.95±5.62""",
        )
    ],
    "IV": [
        (
            "table-4-kl", "KL divergence", 3, _PHENOTYPES,
            """cgan     0.023±0.001 0.019±0.001 0.036±0.004 0.022±0.001 0.050±0.006
               cvae     0.039±0.005 0.041±0.004 0.042±0.004 0.034±0.003 0.030±0.003
               cvae-gan 0.153±0.025 0.023±0.003 0.046±0.006 0.064±0.008 0.098±0.019
               cheart   0.034±0.002 0.043±0.002 0.034±0.002 0.039±0.002 0.031±0.002""",
        ),
        (
            "table-4-wd", "Wasserstein distance", 3, _PHENOTYPES,
            """cgan     33.687±1.173 19.982±0.025 41.643±4.161 17.434±0.036 35.395±2.933
               cvae     11.929±2.116 7.017±0.964  14.680±2.869 9.665±1.051  10.365±1.703
               cvae-gan 27.001±2.809 8.425±1.771  24.614±3.202 9.748±2.675  43.251±4.566
               cheart   15.053±3.597 5.773±1.358  12.214±2.408 9.182±2.145  9.215±1.713""",
        ),
    ],
}  # fmt: skip


def paper_tables(number: str) -> list[Table]:
    """The paper's own table of a number (``I`` to ``IV``); none of another."""
    return [
        Table(f"{title} (paper, Table {number})", ("", *columns), _rows(text, digits, len(columns)), f"paper-{name}")
        for name, title, digits, columns, text in _PRINTED.get(number, [])
    ]


def _rows(text: str, digits: int, columns: int) -> tuple[tuple[str | Estimate, ...], ...]:
    words = text.split()
    rows: list[tuple[str | Estimate, ...]] = []
    for k in range(0, len(words), columns + 1):
        pairs = (word.split("±") for word in words[k + 1 : k + 1 + columns])
        rows.append((words[k], *(Estimate(float(mean), float(sd), digits) for mean, sd in pairs)))
    return tuple(rows)
