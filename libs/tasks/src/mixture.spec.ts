import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { evaluationSet, isHeldoutInstance, promptKey } from './instances.js';
import { exampleAt, exampleStream, generateExample } from './mixture.js';
import { isNeutralPreamble, neutralPreambles, withPreamble } from './preamble.js';
import { familyNamed, heldoutFamilies, trainFamilies } from './registry.js';
import type { TaskExample } from './task.js';

const take = (stream: Iterator<TaskExample>, n: number) =>
  Array.from({ length: n }, () => stream.next().value as TaskExample);

describe('exampleStream', () => {
  it('goes on from a cursor as if it had never stopped', () => {
    const whole = take(exampleStream(11), 60);
    const stream = exampleStream(11);
    take(stream, 25);
    const resumed = take(exampleStream(11, { cursor: stream.cursor }), 35);
    expect(JSON.stringify(resumed)).toBe(JSON.stringify(whole.slice(25)));
    expect(JSON.stringify(exampleAt(11, 40))).toBe(JSON.stringify(whole[40]));
  });

  it('differs from seed to seed', () => {
    expect(JSON.stringify(take(exampleStream(1), 20))).not.toBe(JSON.stringify(take(exampleStream(2), 20)));
  });

  it('refuses held-out families and an empty list', () => {
    expect(() => exampleStream(1, { families: heldoutFamilies })).toThrow(/is held out; leave it out of training/);
    expect(() => exampleStream(1, { families: [] })).toThrow(/at least one task family/);
  });

  it('draws every trained family, the heavy ones more often', () => {
    const counts = new Map<string, number>();
    for (const example of take(exampleStream(3), 15_000))
      counts.set(example.family, (counts.get(example.family) ?? 0) + 1);
    expect([...counts.keys()].toSorted()).toEqual(trainFamilies.map((family) => family.name));
    const total = trainFamilies.reduce((sum, family) => sum + family.weight, 0);
    for (const name of ['passage-among', 'add', 'first-item']) {
      const wanted = (15_000 * familyNamed(name).weight) / total;
      expect(counts.get(name)! / wanted).toBeGreaterThan(0.7);
      expect(counts.get(name)! / wanted).toBeLessThan(1.3);
    }
  });

  it('is short on average', () => {
    const examples = take(exampleStream(4), 3000);
    const characters = examples.reduce((sum, e) => sum + e.answer.length + promptKey(e.messages).length, 0) / 3000;
    expect(characters).toBeLessThan(140);
  });
});

describe('held-out instances', () => {
  it('never reach training, not even as an earlier turn', () => {
    for (const example of take(exampleStream(5), 10_000)) {
      expect(isHeldoutInstance(example)).toBe(false);
      const earlier = example.messages.slice(0, -1).filter((message) => message.role === 'user');
      expect(earlier.some((message) => isHeldoutInstance({ messages: [message] }))).toBe(false);
    }
  });

  it('share no prompt with the training stream', () => {
    const measured = new Set(
      trainFamilies.flatMap((family) => evaluationSet(family, 20, 9)).map((example) => promptKey(example.messages)),
    );
    const trained = take(exampleStream(6), 10_000).map((example) => promptKey(example.messages));
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
