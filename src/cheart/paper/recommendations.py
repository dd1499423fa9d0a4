"""What the tables say to whoever has to choose: claims that are checked, and which model to use for what.

No verdict is fixed: every sentence follows by the stated rule from the figures of this experiment. "Better" is said
only where the corrected p of the table's tests is below :data:`cheart.paper.comparison.ALPHA`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cheart.evaluation.completion import COPIED
from cheart.evaluation.tables import PHENOTYPES, clear_in_cohort
from cheart.metrics.statistics import PairedTest
from cheart.paper.comparison import ALPHA
from cheart.paper.sections import Outcome, Section

OPPONENTS = ("cvae", "cvae-gan")
"""The models that the reference is to complete at least as well as."""

LEADS = 3
"""Of the five W1, in so many the reference is to be the smallest."""

SUSPECTS, NEAR, FAR = 0.15, 0.8, 1.5
"""More suspects than this, or a ratio below that, is a risk of memorised hearts (0.05 and 1 are usual); a ratio above
the last, hearts unlike anybody's."""

Verdict = Literal["met", "not met", "not checked", ""]

Summaries = Mapping[str, Mapping[str, Any]]
"""By row of the tables."""

Tests = Mapping[tuple[str, str], PairedTest]
"""By measure and the row that the reference is tested against."""


@dataclass(frozen=True)
class Remark:
    """A claim that was checked, or a recommendation.

    Attributes:
        title: the claim, or what the recommendation is for.
        verdict: of a claim; "" for a recommendation.
        text: with the numbers.
        rule: how the text follows from the tables.
    """

    title: str
    verdict: Verdict
    text: str
    rule: str


def claims(outcome: Outcome, parts: list[Section]) -> list[Remark]:
    """What is to be shown of the reference, with what was found."""
    return [_claim_of_completion(outcome, _tests(parts, "table-1")), _claim_of_distributions(outcome)]


def recommendations(outcome: Outcome, parts: list[Section]) -> list[Remark]:
    """Which model for what."""
    if outcome.kinds is not None:
        return [_for_systole(outcome, next(part for part in parts if part.name == "end-systole").tests)]
    remarks = [_for_completion(outcome, _tests(parts, "table-1"))]
    generations = _summaries(outcome, "generation")
    if generations:
        remarks += [
            _for_one_person(outcome.reference, generations, _tests(parts, "table-2")),
            _for_populations(generations),
            _for_people(outcome.reference, _summaries(outcome, "truth"), _tests(parts, "truth")),
            _for_conditions({name: one for name, one in outcome.of("response").items() if one}),
            _of_beats(generations),
            _of_memory(outcome.of("memorisation")),
        ]
    return [remark for remark in remarks if remark is not None]


def _summaries(outcome: Outcome, part: str) -> dict[str, dict[str, Any]]:
    return {row: one.summary() for row, one in outcome.of(part).items()}


def _tests(parts: list[Section], name: str) -> Tests:
    return {(t.measure, t.second): t for part in parts if part.name == name for t in part.tests}


def _for_systole(outcome: Outcome, tests: Sequence[PairedTest]) -> Remark:
    """The rows by Dice at end-systole, and which the reference is told apart from."""
    means = {row: one["dice_es"]["mean"] for row, one in _summaries(outcome, "completion").items()}
    order = sorted(means, key=lambda row: -means[row])
    text = "Average Dice at end-systole: " + ", ".join(f"{row} {means[row]:.3f}" for row in order) + "."
    for test in tests:
        if test.measure == "dice_es":
            verdict = f"{test.better} is better" if _clear(test) else "not told apart"
            text += f" {test.first} against {test.second}: {verdict} ({_p(test)})."
    return Remark("To complete a heart of such a subject from its first frame", "", text, "By the paired tests.")


def _claim_of_completion(outcome: Outcome, tests: Tests) -> Remark:
    first, opponents = outcome.reference, [name for name in OPPONENTS if name != outcome.reference]
    title = f"{first} completes at least as well as {' and '.join(opponents)} (mean Dice of the three structures)"
    rule = f"Met where the mean Dice of {first}, to the three digits of the table, is at least that of each of them."
    means = _completion_dice(outcome)
    missing = [name for name in (first, *opponents) if name not in means]
    if missing:
        return Remark(title, "not checked", f"Not among the models of this run: {', '.join(missing)}.", rule)
    met = all(round(means[first], 3) >= round(means[name], 3) for name in opponents)
    against = [f"{name} {means[name]:.3f} ({_told_apart(tests.get(('dice', name)))})" for name in opponents]
    return Remark(title, "met" if met else "not met", f"{first} {means[first]:.3f}; {'; '.join(against)}.", rule)


def _claim_of_distributions(outcome: Outcome) -> Remark:
    first = outcome.reference
    title = f"{first} is the nearest of the generative models in at least {LEADS} of the five W1 (pooled)"
    rule = "The smallest mean over draws leads. There is no test behind a lead."
    values = _w1(_summaries(outcome, "generation"))
    if len(values) < 2 or not values.get(first):
        why = f"It needs two generative models, {first} among them, and real hearts that differ."
        return Remark(title, "not checked", why, rule)
    leaders = {n: min(values, key=lambda model, n=n: values[model][n]) for n in values[first]}  # type: ignore[misc]
    count = sum(leader == first for leader in leaders.values())
    each = [
        f"{n.upper()} {values[first][n]:.2f}"
        + ("" if leader == first else f" (behind {leader} {values[leader][n]:.2f})")
        for n, leader in leaders.items()
    ]
    verdict: Verdict = "met" if count >= LEADS else "not met"
    return Remark(title, verdict, f"It leads in {count} of {len(leaders)}: {', '.join(each)}.", rule)


def _for_completion(outcome: Outcome, tests: Tests) -> Remark | None:
    first, means = outcome.reference, _completion_dice(outcome)
    still = means.pop(COPIED, None)
    if not means or still is None:
        return None
    title = "To complete a heart from its first frame"
    rule = f"By mean Dice, and the tests of {first} against the others (Table I)."
    order = sorted(means, key=lambda name: -means[name])
    best = order[0]
    text = "Mean Dice: " + ", ".join(f"{name} {means[name]:.3f}" for name in order) + f"; {COPIED} {still:.3f}. "
    if means[best] <= still:
        return Remark(title, "", text + "No model beats the heart that stands still: use none of them for this.", rule)
    if first not in means:
        return Remark(title, "", text + f"{best} has the highest; nothing was tested without {first}.", rule)
    if best == first:
        others = [tests.get(("dice", name)) for name in order[1:]]
        near = [t.second for t in others if t is not None and not _first(t) and means[t.second] > still]
        text = f"{text}{_tested_sentence(first, others)} Take {' or '.join([first, *near])}."
        return Remark(title, "", text, rule)
    test = tests.get(("dice", best))
    if test is None:
        return Remark(title, "", f"{text}{best} has the highest; it was not tested against {first}.", rule)
    if _clear(test):
        return Remark(title, "", f"{text}{best} is better than {first} ({_p(test)}): take {best}.", rule)
    if means[first] <= still:
        text += f"{first} does not beat the heart that stands still: take {best}."
        return Remark(title, "", text, rule)
    return Remark(title, "", f"{text}{best} and {first} are not told apart ({_p(test)}): take either.", rule)


def _tested_sentence(first: str, tests: list[PairedTest | None]) -> str:
    """Which rows the reference is better than, which are better, and of which neither is shown."""
    known = [t for t in tests if t is not None]
    better = [f"{t.second} ({_p(t)})" for t in known if _first(t)]
    worse = [f"{t.second} ({_p(t)})" for t in known if _clear(t) and not _first(t)]
    rest = [t.second for t in known if not _clear(t)]
    said = [f"{first} is better than {', '.join(better)}."] if better else []
    said += [f"Better than {first}: {', '.join(worse)}."] if worse else []
    said += [f"Not told apart from {first}: {', '.join(rest)}."] if rest else []
    return " ".join(said)


def _for_one_person(first: str, generations: Summaries, tests: Tests) -> Remark:
    means = {name: one["likeness"]["dice_mean"]["mean"] for name, one in generations.items()}
    order = sorted(means, key=lambda name: -means[name])
    text = "Mean Dice to that person's real heart: " + ", ".join(f"{name} {means[name]:.3f}" for name in order) + ". "
    if first in order:
        text += _tested_sentence(first, [tests.get(("dice_mean", name)) for name in order if name != first])
    text += " A model whose hearts are all alike does well here: read it beside the distributions."
    return Remark("For a likely heart of one person, from conditions alone", "", text, "By mean Dice, Table II.")


def _for_populations(generations: Summaries) -> Remark | None:
    values = {name: one for name, one in _w1(generations).items() if one}
    if not values:
        return None
    leads = dict.fromkeys(values, 0)
    for n in PHENOTYPES:
        known = [name for name in values if n in values[name]]
        if known:
            leads[min(known, key=lambda name, n=n: values[name][n])] += 1  # type: ignore[misc]
    most = max(leads.values())
    first = [name for name, count in leads.items() if count == most]
    counts = ", ".join(f"{name} {count}" for name, count in sorted(leads.items(), key=lambda item: -item[1]))
    text = f"How often each has the smallest of the five W1 (pooled): {counts}. "
    text += f"Take {first[0]}." if most >= LEADS else "None leads in most: choose by the phenotype that matters to you."
    rule = f"Taken where it has {LEADS} or more of the smallest W1 in Table IV; no test behind it."
    return Remark("For a virtual population", "", text, rule)


def _for_people(first: str, truths: Summaries, tests: Tests) -> Remark | None:
    if not truths:
        return None
    over = {
        name: sum(one[n]["w1"] / one[n]["floor"] for n in PHENOTYPES) / len(PHENOTYPES) for name, one in truths.items()
    }
    order = sorted(over, key=lambda name: over[name])
    text = "W1 to each person's own true distribution over that of a perfect model, mean of five: "
    text += ", ".join(f"{name} {over[name]:.2f}" for name in order) + ". "
    near = []
    for name in (name for name in order if name != first):
        known = [tests[f"w1_{n}", name] for n in PHENOTYPES if (f"w1_{n}", name) in tests]
        better, worse = sum(map(_first, known)), sum(_clear(t) and not _first(t) for t in known)
        text += f"Against {name} {first} is better in {better} of {len(known)} and worse in {worse}. " if known else ""
        near += [name] if known and not better + worse else []
    title = "For virtual people who are like the real ones of the same conditions"
    rule = "The least mean of W1 over floor, and with it those that no test of the W1 tells apart from it."
    others = near if order[0] == first else [first] if order[0] in near else []
    return Remark(title, "", f"{text}Take {' or '.join([order[0], *others])}.", rule)


def _for_conditions(responses: Summaries) -> Remark | None:
    if not responses:
        return None
    judged = {
        name: [e["verdict"] for by_phenotype in found.values() for e in by_phenotype.values() if clear_in_cohort(e)]
        for name, found in responses.items()
    }
    title = "To see what a condition does (cheart vary)"
    rule = (
        "Most of the slopes that are clear in the cohort and agree; wide intervals agree easily: read the slopes too."
    )
    if not any(judged.values()):
        return Remark(title, "", "No condition has a clear slope in so small a cohort: nothing can be said.", rule)
    order = sorted(judged, key=lambda name: -judged[name].count("agrees"))
    parts = []
    for name in order:
        verdicts = judged[name]
        wrong = {v: verdicts.count(v) for v in ("ignored", "reversed", "weak", "strong") if v in verdicts}
        said = ", ".join(f"{count} {v}" for v, count in wrong.items())
        parts.append(f"{name} agrees in {verdicts.count('agrees')} of {len(verdicts)} ({said})")
    most = judged[order[0]].count("agrees")
    first = [name for name in order if judged[name].count("agrees") == most]
    text = "Of the slopes that are clear in the cohort: " + "; ".join(part.replace(" ()", "") for part in parts)
    return Remark(title, "", f"{text}. Take {' or '.join(first)}.", rule)


def _of_beats(generations: Summaries) -> Remark:
    jumps = {name: one["seam"]["generated"]["jump"]["mean"] for name, one in generations.items()}
    real = next(iter(generations.values()))["seam"]["real"].get("jump", {}).get("mean")
    text = ", ".join(f"{name} {100 * jump:.0f} %" for name, jump in jumps.items())
    beside = f"; of the real hearts {100 * real:.0f} %" if real is not None else ""
    text = f"Fraction of hearts whose last step back to the first frame is their largest: {text}{beside}."
    return Remark("For animations and simulations that run on", "", text, "The seam's jumps.")


def _of_memory(judged: Summaries) -> Remark | None:
    if not judged:
        return None
    risky = [n for n, one in judged.items() if one["suspects"] > SUSPECTS or one["ratio"] < NEAR]
    text = ", ".join(f"{n} ratio {one['ratio']:.2f}, suspects {one['suspects']:.2f}" for n, one in judged.items())
    far = [n for n, one in judged.items() if one["ratio"] > FAR]
    text += f". Look before sharing hearts of: {', '.join(risky)}." if risky else ". None stands out as copying."
    text += f" Unlike any training heart, more so than real people are: {', '.join(far)}." if far else ""
    rule = f"Copying: suspects above {SUSPECTS} or a ratio below {NEAR}. Unlike: a ratio above {FAR}."
    return Remark("Before giving generated hearts away", "", text, rule)


def _completion_dice(outcome: Outcome) -> dict[str, float]:
    return {row: one["dice"]["mean"] for row, one in _summaries(outcome, "completion").items()}


def _w1(generations: Summaries) -> dict[str, dict[str, float]]:
    """Mean pooled W1 by model and phenotype."""
    return {
        name: {n: one["distributions"][n]["w1"]["mean"] for n in PHENOTYPES if n in one["distributions"]}
        for name, one in generations.items()
    }


def _told_apart(test: PairedTest | None) -> str:
    if test is None:
        return "not tested"
    if _clear(test):
        return f"{test.better} is better, {_p(test)}"
    return f"not told apart, {_p(test)}"


def _clear(test: PairedTest) -> bool:
    """Whether the corrected test tells the two apart."""
    return test.p_holm < ALPHA and bool(test.better)


def _first(test: PairedTest) -> bool:
    """Whether it says that the reference is the better one."""
    return _clear(test) and test.better == test.first


def _p(test: PairedTest) -> str:
    return f"corrected p {test.p_holm:.2g}"
