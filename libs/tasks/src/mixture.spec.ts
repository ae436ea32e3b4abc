import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { evaluationSet, isHeldoutInstance, promptKey } from './instances.js';
import { exampleAt, generateExample } from './mixture.js';
import { isNeutralPreamble, neutralPreambles, withPreamble } from './preamble.js';
import { familyNamed, trainFamilies } from './registry.js';

const firstOf = (seed: number, count: number) => Array.from({ length: count }, (_, index) => exampleAt(seed, index));

describe('the sequence of a seed', () => {
  it('is the same from wherever it is read', () => {
    const whole = firstOf(11, 60);
    expect(JSON.stringify(exampleAt(11, 40))).toBe(JSON.stringify(whole[40]));
    expect(JSON.stringify(firstOf(11, 60))).toBe(JSON.stringify(whole));
  });

  it('differs from seed to seed', () => {
    expect(JSON.stringify(firstOf(1, 20))).not.toBe(JSON.stringify(firstOf(2, 20)));
  });

  it('draws every trained family, the heavy ones more often', () => {
    const counts = new Map<string, number>();
    for (const example of firstOf(3, 15_000)) counts.set(example.family, (counts.get(example.family) ?? 0) + 1);
    expect([...counts.keys()].toSorted()).toEqual(trainFamilies.map((family) => family.name));
    const total = trainFamilies.reduce((sum, family) => sum + family.weight, 0);
    for (const name of ['passage-among', 'add', 'first-item']) {
      const wanted = (15_000 * familyNamed(name).weight) / total;
      expect(counts.get(name)! / wanted).toBeGreaterThan(0.7);
      expect(counts.get(name)! / wanted).toBeLessThan(1.3);
    }
  });

  it('is short on average', () => {
    const examples = firstOf(4, 3000);
    const characters = examples.reduce((sum, e) => sum + e.answer.length + promptKey(e.messages).length, 0) / 3000;
    expect(characters).toBeLessThan(140);
  });
});

describe('held-out instances', () => {
  it('never reach training, not even as an earlier turn', () => {
    for (const example of firstOf(5, 10_000)) {
      expect(isHeldoutInstance(example)).toBe(false);
      const earlier = example.messages.slice(0, -1).filter((message) => message.role === 'user');
      expect(earlier.some((message) => isHeldoutInstance({ messages: [message] }))).toBe(false);
    }
  });

  it('share no prompt with what is trained on', () => {
    const measured = new Set(
      trainFamilies.flatMap((family) => evaluationSet(family, 20, 9)).map((example) => promptKey(example.messages)),
    );
    const trained = firstOf(6, 10_000).map((example) => promptKey(example.messages));
    expect(trained.filter((key) => measured.has(key))).toEqual([]);
  });

  it('are about a tenth', () => {
    const random = createRandom(8);
    const examples = Array.from({ length: 5000 }, () => familyNamed('passage-paragraph').generate(random));
    const share = examples.filter(isHeldoutInstance).length / examples.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
  });

  it('stay held out behind a neutral preamble', () => {
    const [example] = evaluationSet(familyNamed('add'), 1, 1);
    const dressed = withPreamble(example, createRandom(1));
    expect(neutralPreambles).toContain(dressed.messages[0].content);
    expect(isHeldoutInstance(dressed)).toBe(true);
  });
});

describe('generateExample', () => {
  it('now and then shows a neutral system message', () => {
    const random = createRandom(2);
    const examples = Array.from({ length: 2000 }, () => generateExample(random, [familyNamed('add')]));
    const share = examples.filter((example) => isNeutralPreamble(example.messages[0])).length / examples.length;
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.1);
  });
});
