"""What the tables say to whoever has to choose: claims that are checked, and which model to use for what.

No verdict is fixed: every sentence follows by the stated rule from the figures of this run. "Better" is said only where
the corrected p of the table's tests is below :data:`cheart.paper.comparison.ALPHA`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cheart.evaluation.completion import Completion
from cheart.evaluation.tables import PHENOTYPES, clear_in_cohort
from cheart.metrics.statistics import PairedTest
from cheart.paper.comparison import ALPHA
from cheart.paper.plan import COPIED, OURS
from cheart.paper.results import Found
from cheart.paper.sections import Section

OPPONENTS = ("cvae", "cvae-gan")
"""The models that ours is to complete at least as well as."""

LEADS = 3
"""Of the five W1, in so many ours is to be the smallest."""

SUSPECTS, NEAR, FAR = 0.15, 0.8, 1.5
"""More suspects than this, or a ratio below that, is told as a risk of memorised hearts (0.05 and 1 are usual); a ratio
above the last as hearts unlike anybody's."""

Verdict = str
"""``met``, ``not met`` or ``not checked``."""


@dataclass(frozen=True)
class Remark:
    """A claim that was checked, or an advice.

    Attributes:
        title: the claim, or what the advice is for.
        verdict: of a claim; "" for an advice.
        text: with the numbers.
        rule: how the text follows from the tables.
    """

    title: str
    verdict: Verdict
    text: str
    rule: str


def claims(found: Mapping[str, Found], parts: list[Section]) -> list[Remark]:
    """What is to be shown of our model, with what was found."""
    return [_claim_of_completion(found, _tests(parts, "table-1")), _claim_of_distributions(found)]


def advice(found: Mapping[str, Found], copied: Completion | None, parts: list[Section]) -> list[Remark]:
    """Which model for what."""
    truths = {name: f.truth.summary() for name, f in found.items() if f.truth is not None}
    remarks = [_for_completion(found, copied, _tests(parts, "table-1"))]
    generations = {name: f.generation.summary() for name, f in found.items() if f.generation is not None}
    if generations:
        remarks += [
            _for_one_person(generations, _tests(parts, "table-2")),
            _for_populations(generations),
            _for_people(truths, _tests(parts, "truth")),
            _for_conditions({name: f.response for name, f in found.items() if f.response}),
            _of_beats(generations),
            _of_memory({name: f.memorisation for name, f in found.items() if f.memorisation}),
        ]
    return [remark for remark in remarks if remark is not None]


def _tests(parts: list[Section], name: str) -> dict[tuple[str, str], PairedTest]:
    """The tests of one part, by measure and opponent."""
    return {(t.measure, t.second): t for part in parts if part.name == name for t in part.tests}


def _claim_of_completion(found: Mapping[str, Found], tests: Mapping[tuple[str, str], PairedTest]) -> Remark:
    title = f"{OURS} completes at least as well as {' and '.join(OPPONENTS)} (mean Dice of the three structures)"
    rule = f"Met where the mean Dice of {OURS}, to the three digits of the table, is at least that of each of them."
    means = _completion_dice(found)
    missing = [name for name in (OURS, *OPPONENTS) if name not in means]
    if missing:
        return Remark(title, "not checked", f"Not among the models of this run: {', '.join(missing)}.", rule)
    met = all(round(means[OURS], 3) >= round(means[name], 3) for name in OPPONENTS)
    against = [f"{name} {means[name]:.3f} ({_told_apart(tests.get(('dice', name)))})" for name in OPPONENTS]
    return Remark(title, _verdict(met), f"{OURS} {means[OURS]:.3f}; {'; '.join(against)}.", rule)


def _claim_of_distributions(found: Mapping[str, Found]) -> Remark:
    title = f"{OURS} is the nearest of the generative models in at least {LEADS} of the five W1 (pooled)"
    rule = "The smallest mean over draws leads. There is no test behind a lead."
    values = _w1({name: f.generation.summary() for name, f in found.items() if f.generation is not None})
    if OURS not in values or len(values) < 2 or not values[OURS]:
        why = "It needs two generative models, ours among them, and real hearts that differ."
        return Remark(title, "not checked", why, rule)
    leaders = {n: min(values, key=lambda model, n=n: values[model][n]) for n in values[OURS]}  # type: ignore[misc]
    count = sum(leader == OURS for leader in leaders.values())
    told = [
        f"{n.upper()} {values[OURS][n]:.2f}" + ("" if leader == OURS else f" (behind {leader} {values[leader][n]:.2f})")
        for n, leader in leaders.items()
    ]
    return Remark(title, _verdict(count >= LEADS), f"It leads in {count} of {len(leaders)}: {', '.join(told)}.", rule)


def _for_completion(
    found: Mapping[str, Found], copied: Completion | None, tests: Mapping[tuple[str, str], PairedTest]
) -> Remark | None:
    means = _completion_dice(found)
    if not means or copied is None:
        return None
    title = "To complete a heart from its first frame"
    rule = f"By mean Dice, and the tests of {OURS} against the others (Table I)."
    order = sorted(means, key=lambda name: -means[name])
    best = order[0]
    still = copied.summary()["dice"]["mean"]
    text = "Mean Dice: " + ", ".join(f"{name} {means[name]:.3f}" for name in order) + f"; {COPIED} {still:.3f}. "
    if means[best] <= still:
        return Remark(title, "", text + "No model beats the heart that stands still: use none of them for this.", rule)
    if OURS not in means:
        return Remark(title, "", text + f"{best} has the highest; nothing was tested without {OURS}.", rule)
    if best == OURS:
        others = [tests.get(("dice", name)) for name in order[1:]]
        near = [t.second for t in others if t is not None and not _ours(t) and means[t.second] > still]
        text = f"{text}{_tested_sentence(others)} Take {' or '.join([OURS, *near])}."
        return Remark(title, "", text, rule)
    test = tests.get(("dice", best))
    if test is None:
        return Remark(title, "", f"{text}{best} has the highest; it was not tested against {OURS}.", rule)
    if _clear(test):
        return Remark(title, "", f"{text}{best} is better than {OURS} ({_p(test)}): take {best}.", rule)
    if means[OURS] <= still:
        text += f"{OURS} does not beat the heart that stands still: take {best}."
        return Remark(title, "", text, rule)
    return Remark(title, "", f"{text}{best} and {OURS} are not told apart ({_p(test)}): take either.", rule)


def _tested_sentence(tests: list[PairedTest | None]) -> str:
    """Of whom ours is better, who is better than it, and of whom neither is shown."""
    known = [t for t in tests if t is not None]
    better = [f"{t.second} ({_p(t)})" for t in known if _ours(t)]
    worse = [f"{t.second} ({_p(t)})" for t in known if _clear(t) and not _ours(t)]
    rest = [t.second for t in known if not _clear(t)]
    said = [f"{OURS} is better than {', '.join(better)}."] if better else []
    said += [f"Better than {OURS}: {', '.join(worse)}."] if worse else []
    said += [f"Not told apart from {OURS}: {', '.join(rest)}."] if rest else []
    return " ".join(said)


def _for_one_person(
    generations: Mapping[str, Mapping[str, Any]], tests: Mapping[tuple[str, str], PairedTest]
) -> Remark:
    means = {name: told["likeness"]["dice_mean"]["mean"] for name, told in generations.items()}
    order = sorted(means, key=lambda name: -means[name])
    text = "Mean Dice to that person's real heart: " + ", ".join(f"{name} {means[name]:.3f}" for name in order) + ". "
    if OURS in order:
        text += _tested_sentence([tests.get(("dice_mean", name)) for name in order if name != OURS])
    text += " A model whose hearts are all alike does well here: read it beside the distributions."
    return Remark("For a likely heart of one person, from conditions alone", "", text, "By mean Dice, Table II.")


def _for_populations(generations: Mapping[str, Mapping[str, Any]]) -> Remark | None:
    values = {name: told for name, told in _w1(generations).items() if told}
    if not values:
        return None
    leads = dict.fromkeys(values, 0)
    for n in PHENOTYPES:
        known = [name for name in values if n in values[name]]
        if known:
            leads[min(known, key=lambda name, n=n: values[name][n])] += 1  # type: ignore[misc]
    most = max(leads.values())
    first = [name for name, count in leads.items() if count == most]
    told = ", ".join(f"{name} {count}" for name, count in sorted(leads.items(), key=lambda item: -item[1]))
    text = f"How often each has the smallest of the five W1 (pooled): {told}. "
    text += f"Take {first[0]}." if most >= LEADS else "None leads in most: choose by the phenotype that matters to you."
    rule = f"Taken where it has {LEADS} or more of the smallest W1 in Table IV; no test behind it."
    return Remark("For a virtual population", "", text, rule)


def _for_people(
    truths: Mapping[str, Mapping[str, Mapping[str, float]]], tests: Mapping[tuple[str, str], PairedTest]
) -> Remark | None:
    if not truths:
        return None
    over = {
        name: sum(told[n]["w1"] / told[n]["floor"] for n in PHENOTYPES) / len(PHENOTYPES)
        for name, told in truths.items()
    }
    order = sorted(over, key=lambda name: over[name])
    text = "W1 to each person's own true distribution over that of a perfect model, mean of five: "
    text += ", ".join(f"{name} {over[name]:.2f}" for name in order) + ". "
    near = []
    for name in (name for name in order if name != OURS):
        known = [tests[f"w1_{n}", name] for n in PHENOTYPES if (f"w1_{n}", name) in tests]
        ours, theirs = sum(map(_ours, known)), sum(_clear(t) and not _ours(t) for t in known)
        text += f"Against {name} {OURS} is better in {ours} of {len(known)} and worse in {theirs}. " if known else ""
        near += [name] if known and not ours + theirs else []
    title = "For virtual people who are like the real ones of the same conditions"
    rule = "The least mean of W1 over floor, and with it those that no test of the W1 tells apart from it."
    others = near if order[0] == OURS else [OURS] if order[0] in near else []
    return Remark(title, "", f"{text}Take {' or '.join([order[0], *others])}.", rule)


def _for_conditions(responses: Mapping[str, Mapping[str, Any]]) -> Remark | None:
    if not responses:
        return None
    told = {
        name: [e["verdict"] for by_phenotype in found.values() for e in by_phenotype.values() if clear_in_cohort(e)]
        for name, found in responses.items()
    }
    title = "To see what a condition does (cheart vary)"
    rule = (
        "Most of the slopes that are clear in the cohort and agree; wide intervals agree easily: read the slopes too."
    )
    if not any(told.values()):
        return Remark(title, "", "No condition has a clear slope in so small a cohort: nothing can be said.", rule)
    order = sorted(told, key=lambda name: -told[name].count("agrees"))
    parts = []
    for name in order:
        verdicts = told[name]
        wrong = {v: verdicts.count(v) for v in ("ignored", "reversed", "weak", "strong") if v in verdicts}
        said = ", ".join(f"{count} {v}" for v, count in wrong.items())
        parts.append(f"{name} agrees in {verdicts.count('agrees')} of {len(verdicts)} ({said})")
    most = told[order[0]].count("agrees")
    first = [name for name in order if told[name].count("agrees") == most]
    text = "Of the slopes that are clear in the cohort: " + "; ".join(part.replace(" ()", "") for part in parts)
    return Remark(title, "", f"{text}. Take {' or '.join(first)}.", rule)


def _of_beats(generations: Mapping[str, Mapping[str, Any]]) -> Remark:
    jumps = {name: told["seam"]["generated"]["jump"]["mean"] for name, told in generations.items()}
    real = next(iter(generations.values()))["seam"]["real"].get("jump", {}).get("mean")
    text = ", ".join(f"{name} {100 * share:.0f} %" for name, share in jumps.items())
    beside = f"; of the real hearts {100 * real:.0f} %" if real is not None else ""
    text = f"Share of hearts whose last step back to the first frame is their largest: {text}{beside}."
    return Remark("For animations and simulations that run on", "", text, "The seam's jumps.")


def _of_memory(judged: Mapping[str, Mapping[str, Any]]) -> Remark | None:
    if not judged:
        return None
    risky = [n for n, told in judged.items() if told["suspects"] > SUSPECTS or told["ratio"] < NEAR]
    text = ", ".join(f"{n} ratio {told['ratio']:.2f}, suspects {told['suspects']:.2f}" for n, told in judged.items())
    far = [n for n, told in judged.items() if told["ratio"] > FAR]
    text += f". Look before sharing hearts of: {', '.join(risky)}." if risky else ". None stands out as copying."
    text += f" Unlike any training heart, more so than real people are: {', '.join(far)}." if far else ""
    rule = f"Copying: suspects above {SUSPECTS} or a ratio below {NEAR}. Unlike: a ratio above {FAR}."
    return Remark("Before giving generated hearts away", "", text, rule)


def _completion_dice(found: Mapping[str, Found]) -> dict[str, float]:
    return {name: f.completion.summary()["dice"]["mean"] for name, f in found.items() if f.completion is not None}


def _w1(generations: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean pooled W1 by model and phenotype."""
    return {
        name: {n: told["distributions"][n]["w1"]["mean"] for n in PHENOTYPES if n in told["distributions"]}
        for name, told in generations.items()
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


def _ours(test: PairedTest) -> bool:
    """Whether it tells that ours is the better one."""
    return _clear(test) and test.better == OURS


def _p(test: PairedTest) -> str:
    return f"corrected p {test.p_holm:.2g}"


def _verdict(met: bool) -> Verdict:
    return "met" if met else "not met"
