import type { Random } from '@attune/platform';
import { defineFamily, type Draw } from '../task.js';
import { passagesPrompt, unknownAnswer } from '../rag-format.js';
import { between, chance } from '../template.js';
import { heldoutFacts, seenFacts } from '../words/passage-facts.js';
import type { FactKind } from '../words/passage-values.js';
import {
  drawFacts,
  drawSubject,
  fieldList,
  paragraph,
  plainSentence,
  question,
  rivalFact,
  sentence,
  statement,
  otherSubject,
  subjectKinds,
  type Fact,
} from './passage-writer.js';

/** The question stands as people ask it; what varies besides it is the wording of each kind of fact. */
const asked = [
  '{question}',
  '{question}',
  '{question}',
  '{question} Look it up.',
  'I want to know: {question}',
  'Please tell me. {question}',
];

const draw = (
  passages: readonly string[],
  questionText: string,
  answer: string,
  alternatives: string[] = [],
): Draw => ({
  system: passagesPrompt(passages),
  slots: { question: questionText },
  answer,
  alternatives,
});

const answered = (random: Random, passages: readonly string[], fact: Fact): Draw =>
  draw(
    passages,
    question(random, fact),
    fact.value,
    fact.kind.says.map((say) => statement(say, fact.subject.name, fact.value)),
  );

export const passageFact = defineFamily({
  name: 'passage-fact',
  kind: 'passage',
  weight: 3,
  templates: asked,
  draw: (random) => {
    const facts = drawFacts(random, seenFacts, drawSubject(random), between(random, 1, 2));
    return answered(random, [paragraph(random, facts)], random.pick(facts));
  },
});

export const passageParagraph = defineFamily({
  name: 'passage-paragraph',
  kind: 'passage',
  weight: 3,
  templates: asked,
  draw: (random) => {
    const facts = drawFacts(random, seenFacts, drawSubject(random), between(random, 2, 4));
    return answered(random, [paragraph(random, facts, { fillers: between(random, 0, 2) })], random.pick(facts));
  },
});

/** One passage holds the fact, the others the same attribute of other subjects or something else. */
function amongRivals(random: Random, fact: Fact): string[] {
  const others = Array.from({ length: between(random, 1, 3) }, () =>
    chance(random, 0.7)
      ? sentence(random, rivalFact(random, fact))
      : paragraph(
          random,
          drawFacts(random, seenFacts, otherSubject(random, random.pick(subjectKinds), fact.subject), 2),
        ),
  );
  return random.shuffle([sentence(random, fact), ...others]);
}

export const passageAmong = defineFamily({
  name: 'passage-among',
  kind: 'passage',
  weight: 3,
  templates: asked,
  draw: (random) => {
    const [fact] = drawFacts(random, seenFacts, drawSubject(random), 1);
    return answered(random, amongRivals(random, fact), fact);
  },
});

export const passageFields = defineFamily({
  name: 'passage-fields',
  kind: 'passage',
  weight: 1.5,
  templates: asked,
  draw: (random) => {
    const facts = drawFacts(random, seenFacts, drawSubject(random), between(random, 2, 4));
    return answered(random, [fieldList(facts)], random.pick(facts));
  },
});

/** Asks for a subject the passages do not mention, or for something they do not say about it. */
export const passageUnknown = defineFamily({
  name: 'passage-unknown',
  kind: 'passage',
  weight: 2,
  templates: asked,
  draw: (random) => {
    const [fact, other] = drawFacts(random, seenFacts, drawSubject(random), 2);
    const elsewhere = rivalFact(random, fact);
    const passages = chance(random, 0.5)
      ? [sentence(random, elsewhere)]
      : [sentence(random, other), sentence(random, elsewhere)];
    return draw(random.shuffle(passages), question(random, fact), unknownAnswer);
  },
});

export const passageSentence = defineFamily({
  name: 'passage-sentence',
  kind: 'passage',
  weight: 1.5,
  templates: [
    '{question} Answer in a full sentence.',
    '{question} Use a full sentence.',
    'In a full sentence: {question}',
    '{question} Write one whole sentence.',
  ],
  draw: (random) => {
    const facts = drawFacts(random, seenFacts, drawSubject(random), between(random, 1, 2));
    const fact = random.pick(facts);
    return draw([paragraph(random, facts)], question(random, fact), plainSentence(fact));
  },
});

export const passageTrue = defineFamily({
  name: 'passage-true',
  kind: 'passage',
  weight: 1.3,
  templates: [
    'Is this true? {claim}',
    'Yes or no: {claim}',
    'True or not? Answer yes or no. {claim}',
    '{claim} Is that right?',
  ],
  draw: (random) => {
    const [fact] = drawFacts(random, seenFacts, drawSubject(random), 1);
    const isTrue = chance(random, 0.5);
    const claimed = isTrue ? fact : { ...fact, value: rivalFact(random, fact).value };
    return {
      system: passagesPrompt([sentence(random, fact)]),
      slots: { claim: plainSentence(claimed) },
      answer: isTrue ? 'yes' : 'no',
    };
  },
});

/** A fact of an attribute that training never shows, alone or beside a seen one. */
const priceKinds = (subjectFits: (kind: FactKind) => boolean) => heldoutFacts.filter(subjectFits);

export const passagePrice = defineFamily({
  name: 'passage-price',
  kind: 'passage',
  split: 'heldout',
  templates: asked,
  draw: (random) => {
    let subject = drawSubject(random);
    while (priceKinds((kind) => kind.about === subject.kind).length === 0) subject = drawSubject(random);
    const [fact] = drawFacts(random, heldoutFacts, subject, 1);
    const facts = random.shuffle([fact, ...drawFacts(random, seenFacts, subject, random.int(2))]);
    return answered(random, [paragraph(random, facts)], fact);
  },
});

/** The same questions with no passages: the model must not invent an answer. */
export const unknownFact = defineFamily({
  name: 'unknown-fact',
  kind: 'passage',
  templates: asked,
  draw: (random) => {
    const [fact] = drawFacts(random, seenFacts, drawSubject(random), 1);
    return { slots: { question: question(random, fact) }, answer: unknownAnswer };
  },
});
