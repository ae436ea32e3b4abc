// Prints the settings of every method into docs/objectives.md (build first: `npm run build`).
import { readFileSync, writeFileSync } from 'node:fs';
import { fillSettings } from '@attune/contracts';

const page = new URL('../docs/objectives.md', import.meta.url);
writeFileSync(page, fillSettings(readFileSync(page, 'utf8')));
