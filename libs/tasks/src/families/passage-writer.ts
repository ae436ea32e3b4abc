import type { Random } from '@attune/platform';
import { capitalise, chance, sample } from '../template.js';
import { fillers } from '../words/passage-facts.js';
import { makeSubject, type Subject, type SubjectKind } from '../words/passage-subjects.js';
import type { FactKind } from '../words/passage-values.js';

export interface Fact {
  kind: FactKind;
  subject: Subject;
  value: string;
}

export const subjectKinds: readonly SubjectKind[] = ['place', 'place', 'product', 'team', 'person', 'service'];

export function drawSubject(random: Random): Subject {
  return makeSubject(random, random.pick(subjectKinds));
}

/** `n` different facts about one subject. */
export function drawFacts(random: Random, pool: readonly FactKind[], subject: Subject, n: number): Fact[] {
  const fitting = pool.filter((kind) => kind.about === subject.kind);
  return sample(random, fitting, n).map((kind) => ({ kind, subject, value: kind.value(random) }));
}

/** The same attribute said of another subject: what a careless reader would answer with. */
export function rivalFact(random: Random, fact: Fact): Fact {
  let value = fact.kind.value(random);
  while (value === fact.value) value = fact.kind.value(random);
  return { kind: fact.kind, subject: otherSubject(random, fact.subject.kind, fact.subject), value };
}

/** A subject of `kind` that is not `subject`. */
export function otherSubject(random: Random, kind: SubjectKind, subject: Subject): Subject {
  let other = makeSubject(random, kind);
  while (other.name === subject.name) other = makeSubject(random, kind);
  return other;
}

export function sentence(random: Random, fact: Fact, name = fact.subject.name): string {
  return statement(random.pick(fact.kind.says), name, fact.value);
}

/** The first wording of a fact, used for answers in a full sentence. */
export function plainSentence(fact: Fact): string {
  return statement(fact.kind.says[0], fact.subject.name, fact.value);
}

export function question(random: Random, fact: Fact): string {
  return random.pick(fact.kind.asks).replace('{s}', fact.subject.name);
}

/** Facts about one subject as running text; later sentences may say "It". */
export function paragraph(random: Random, facts: readonly Fact[], options: { fillers?: number } = {}): string {
  const told = facts.map((fact, i) => {
    const starts = fact.kind.says.filter((say) => say.startsWith('{s}'));
    if (i === 0 || !chance(random, 0.4)) return sentence(random, fact);
    return statement(random.pick(starts), fact.subject.it, fact.value);
  });
  for (const filler of sample(random, fillers, options.fillers ?? 0)) {
    told.splice(1 + random.int(told.length), 0, filler);
  }
  return told.join(' ');
}

/** Facts about one subject as a record: "Kelvin lab. Opens: 9. City: Rome." */
export function fieldList(facts: readonly Fact[]): string {
  const title = capitalise(facts[0].subject.name.replace(/^the /, ''));
  return [title, ...facts.map((fact) => `${fact.kind.label}: ${fact.value}`)].join('. ') + '.';
}

export function statement(say: string, name: string, value: string): string {
  return capitalise(say.replace('{s}', name).replace('{v}', value));
}
