// What is normal for people like this: many hearts of the model for the same conditions.
import { normals } from "./random.js";

const HEARTS = 120;

/**
 * Count the middle 90 % of every phenotype, a few hearts at a time, so that the page stays alive.
 * @param ondone called with {name: {low, middle, high}}
 * @returns a function that stops it
 */
export function normalRanges(model, conditions, ondone) {
  const person = { ...conditions };
  const rows = [];
  let stopped = false;
  const work = () => {
    if (stopped) return;
    const until = performance.now() + 12;
    while (performance.now() < until && rows.length < HEARTS) {
      rows.push(model.quickPhenotypes(person, normals(7919 * (rows.length + 1), model.latent)));
    }
    if (rows.length < HEARTS) setTimeout(work, 4);
    else
      ondone(
        Object.fromEntries(Object.keys(rows[0]).map((name) => [name, middle90(rows.map((r) => r[name]))])),
      );
  };
  setTimeout(work, 150);
  return () => {
    stopped = true;
  };
}

export function middle90(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => {
    const place = q * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  };
  return { low: at(0.05), middle: at(0.5), high: at(0.95) };
}
