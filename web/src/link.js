// The state of a page in its link, so that a link shows what its sender saw.

const fixed = (v) => (typeof v === "number" ? `${Math.round(v * 100) / 100}` : `${v}`);

/** A person as text: conditions; seed; coordinates. */
export function writePerson(person, names) {
  const conditions = names.map((name) => fixed(person.conditions[name]));
  return [conditions.join(","), person.seed, person.coordinates.map(fixed).join(",")].join(";");
}

/** Read back a person; what cannot be read stays as it is in `person`. */
export function readPerson(text, person, conditions) {
  const [values = "", seed = "", coordinates = ""] = (text || "").split(";");
  const out = { ...person, conditions: { ...person.conditions }, coordinates: [...person.coordinates] };
  values.split(",").forEach((value, i) => {
    const condition = conditions[i];
    if (!condition || value === "") return;
    if (condition.levels.length) {
      if (condition.levels.includes(value)) out.conditions[condition.name] = value;
    } else if (Number.isFinite(Number(value)))
      out.conditions[condition.name] = inside(Number(value), condition.range);
  });
  if (/^\d+$/.test(seed)) out.seed = Number(seed) >>> 0;
  coordinates.split(",").forEach((value, i) => {
    if (value !== "" && i < out.coordinates.length && Number.isFinite(Number(value)))
      out.coordinates[i] = inside(Number(value), [-4, 4]);
  });
  return out;
}

const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);

/** Put words into the link without adding to the history. */
export function writeLink(words) {
  const text = `#${new URLSearchParams(words).toString()}`;
  try {
    history.replaceState(null, "", text);
  } catch {
    location.hash = text;
  }
}

export function readLink() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}
