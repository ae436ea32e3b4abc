import { createRandom, deriveSeed } from '@attune/platform';

/**
 * Which of `numItems` items the places of a batch hold, epoch after epoch, each epoch in an order of its own. A pure
 * function of seed and step: a resumed run needs no data cursor but its step.
 */
export function batchItems(seed: number, numItems: number, batchSize: number, step: number): number[] {
  const orders = new Map<number, readonly number[]>();
  const orderOf = (epoch: number) => {
    const order = orders.get(epoch) ?? shuffledOrder(deriveSeed(seed, 'epoch', epoch), numItems);
    orders.set(epoch, order);
    return order;
  };
  return Array.from({ length: batchSize }, (_, place) => {
    const drawn = step * batchSize + place;
    return orderOf(Math.floor(drawn / numItems))[drawn % numItems]!;
  });
}

/** Steps for so many passes over the items, at most `maxSteps` (0 = no limit), at least 1. */
export function numSteps(numItems: number, batchSize: number, epochs: number, maxSteps: number): number {
  const wanted = Math.max(1, Math.ceil((epochs * numItems) / batchSize));
  return maxSteps > 0 ? Math.min(maxSteps, wanted) : wanted;
}

function shuffledOrder(seed: number, length: number): readonly number[] {
  return createRandom(seed).shuffle(Array.from({ length }, (_, index) => index));
}
