/**
 * METEOR (Banerjee & Lavie 2005) on equal words: F-mean with recall weighted 9 to 1, less a penalty for the number of
 * chunks the matches fall into. Words are matched from left to right, next to the match before where possible.
 */
export function meteor(candidate: readonly string[], reference: readonly string[]): number {
  const places = align(candidate, reference);
  const matches = places.filter((place) => place !== null).length;
  if (matches === 0) return 0;
  const [precision, recall] = [matches / candidate.length, matches / reference.length];
  const mean = (10 * precision * recall) / (recall + 9 * precision);
  return mean * (1 - 0.5 * (chunksOf(places) / matches) ** 3);
}

function align(candidate: readonly string[], reference: readonly string[]): (number | null)[] {
  const free = new Set(reference.keys());
  let last = -1;
  return candidate.map((word) => {
    const fits = [...free].filter((place) => reference[place] === word);
    if (fits.length === 0) return null;
    const place = fits.includes(last + 1) ? last + 1 : fits[0]!;
    free.delete(place);
    last = place;
    return place;
  });
}

/** Runs of matches that are neighbours in both texts. */
function chunksOf(places: readonly (number | null)[]): number {
  return places.filter((place, index) => place !== null && !(index > 0 && places[index - 1] === place - 1)).length;
}
