export type { OutputStructure } from '@attune/contracts';
