// Writes openapi.json from the contracts (build first: `npm run openapi` does).
import { writeFileSync } from 'node:fs';
import { openApiDocument } from '@attune/contracts';

writeFileSync(new URL('../openapi.json', import.meta.url), `${JSON.stringify(openApiDocument(), null, 1)}\n`);
