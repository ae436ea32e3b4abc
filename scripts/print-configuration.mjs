// Writes docs/configuration.md from the settings record (build first: `npm run build`).
import { writeFileSync } from 'node:fs';
import { printConfiguration } from '@attune/platform';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), printConfiguration());
