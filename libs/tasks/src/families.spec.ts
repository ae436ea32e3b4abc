import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { evaluationSet, isHeldoutInstance, promptKey } from './instances.js';
import { passagesHeading, passagesPrompt, unknownAnswer } from './rag-format.js';
import { families, familyNamed, heldoutFamilies, trainFamilies } from './registry.js';
import { matches } from './scoring.js';
import { toConversation, type TaskExample, type TaskFamily } from './task.js';

const drawn = (family: TaskFamily, n: number, seed = 1): TaskExample[] => {
  const random = createRandom(seed);
  return Array.from({ length: n }, () => family.generate(random));
};
const names = families.map((family) => family.name);

describe('the registry', () => {
  it('has enough families of both splits, each under a name of its own', () => {
    expect(trainFamilies.length).toBeGreaterThanOrEqual(34);
    expect(heldoutFamilies.length).toBeGreaterThanOrEqual(6);
    expect(new Set(names).size).toBe(families.length);
  });

  it('names the known families when asked for an unknown one', () => {
    expect(familyNamed('add').kind).toBe('arithmetic');
    expect(() => familyNamed('fly')).toThrow(/no task family "fly"; known are .*uppercase/);
  });

  it('gives the same prompt the same answer in whatever family it appears', () => {
    const seen = new Map<string, TaskExample>();
    const conflicts: string[] = [];
    for (const example of families.flatMap((family) => drawn(family, 400))) {
      const key = promptKey(example.messages);
      const before = seen.get(key);
      if (before && !example.check(before.answer)) conflicts.push(`${before.family}, ${example.family}: ${key}`);
      seen.set(key, example);
    }
    expect(conflicts).toEqual([]);
  });
});

describe.each(names)('%s', (name) => {
  const family = familyNamed(name);
  const examples = drawn(family, 200);

  it('repeats itself under the same seed and not under another', () => {
    const plain = (list: TaskExample[]) => JSON.stringify(list);
    expect(plain(drawn(family, 20))).toBe(plain(examples.slice(0, 20)));
    expect(plain(drawn(family, 20, 2))).not.toBe(plain(examples.slice(0, 20)));
  });

  it('accepts its own answer and, read back from JSON, still does', () => {
    for (const example of examples) {
      expect(example.check(example.answer)).toBe(true);
      const stored = JSON.parse(JSON.stringify(example)) as TaskExample;
      expect(matches(example.answer, stored.scoring)).toBe(true);
      expect(example.check(`${example.answer} zzz`)).toBe(false);
    }
  });

  it('asks in at least four ways and for more than a handful of things', () => {
    expect(new Set(family.templates).size).toBeGreaterThanOrEqual(4);
    expect(new Set(examples.map((example) => promptKey(example.messages))).size).toBeGreaterThan(30);
  });

  it('is short, whole and ends with a user turn', () => {
    for (const example of examples) {
      const text = toConversation(example).map((message) => message.content);
      expect(example.messages.at(-1)!.role).toBe('user');
      expect(text.join(' ').length).toBeLessThan(520);
      expect(text.join(' ')).not.toMatch(/\{[a-zA-Z]+\}|undefined|NaN| {2}/);
      expect(text.every((content) => content.length > 0 && content === content.trim())).toBe(true);
    }
  });

  it('is measured on instances of which training sees none', () => {
    const chosen = evaluationSet(family, 10, 3);
    expect(chosen.length).toBeGreaterThan(0);
    expect(new Set(chosen.map((example) => promptKey(example.messages))).size).toBe(chosen.length);
    if (family.split === 'train') expect(chosen.every(isHeldoutInstance)).toBe(true);
    expect(JSON.stringify(evaluationSet(family, 10, 3))).toBe(JSON.stringify(chosen));
  });
});

describe('passage families', () => {
  const passageFamilies = families.filter((family) => family.kind === 'passage' && family.name !== 'unknown-fact');

  it('print the passages as the gateway does', () => {
    expect(passagesPrompt(['One.', 'Two.'])).toBe('Answer from the passages.\n[1] One.\n[2] Two.');
    for (const example of passageFamilies.flatMap((family) => drawn(family, 50))) {
      const [system] = example.messages;
      expect(system.role).toBe('system');
      expect(system.content.startsWith(`${passagesHeading}\n[1] `)).toBe(true);
    }
  });

  it('hold the answer in a passage, or say that they do not know', () => {
    const factual = ['passage-fact', 'passage-paragraph', 'passage-among', 'passage-fields', 'passage-price'];
    for (const example of factual.flatMap((name) => drawn(familyNamed(name), 200))) {
      expect(example.messages[0].content).toContain(example.answer);
    }
    for (const example of drawn(familyNamed('passage-unknown'), 50)) expect(example.answer).toBe(unknownAnswer);
  });

  it('leave prices to the held-out family', () => {
    const trained = trainFamilies.flatMap((family) => drawn(family, 100)).map((e) => JSON.stringify(e.messages));
    expect(trained.filter((text) => /dollars|price|cost/.test(text))).toEqual([]);
  });
});
