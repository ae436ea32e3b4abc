export { evaluationSet, isHeldoutInstance, isTrainable, promptKey } from './instances.js';
export { exampleAt } from './mixture.js';
export { neutralPreambles } from './preamble.js';
export { passagesHeading, passagesPrompt, unknownAnswer } from './rag-format.js';
export { families, familyNamed, heldoutFamilies, trainFamilies } from './registry.js';
export { matches, type Scoring, type ScoringMethod } from './scoring.js';
export {
  scoreFamily,
  scoreSuite,
  taskSuite,
  type Answerer,
  type FamilyScore,
  type SuiteScore,
  type TaskSuite,
} from './suite.js';
export { defineFamily, toConversation } from './task.js';
export type { ChatMessage, FamilyDefinition, FamilySplit, TaskExample, TaskFamily, TaskKind } from './task.js';
