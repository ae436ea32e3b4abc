import type { Scenario } from './scenario.js';

/** Shares of answers to unseen prompts. */
export interface Judged {
  /** That show what people taught. */
  readonly shown: number;
  /** That are right, apart from how they are said. */
  readonly right: number;
  /** Both: what people want in the end. */
  readonly satisfied: number;
}

/** How people would judge answers to the scenario's unseen prompts, in their order. */
export function judge({ shows, isRight }: Pick<Scenario, 'shows' | 'isRight'>, texts: readonly string[]): Judged {
  const verdicts = texts.map((text, i) => ({ shown: shows(text, i), right: isRight(text, i) }));
  const share = (of: (verdict: (typeof verdicts)[number]) => boolean) => verdicts.filter(of).length / verdicts.length;
  return {
    shown: share(({ shown }) => shown),
    right: share(({ right }) => right),
    satisfied: share(({ shown, right }) => shown && right),
  };
}
