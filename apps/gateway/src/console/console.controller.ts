import { NotFoundError } from '@attune/platform';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Public } from '../auth/caller.js';

/** Where the build of apps/console lies, seen from this file's source or its build alike. */
export const CONSOLE_FOLDER = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

const API_PATHS = /^\/(v1|api|health|metrics)(\/|$)/;

/** The chat page and the console: its files, and its start page for every address that is no file and no API. */
@Controller()
@Public()
export class ConsoleController {
  @Get('*')
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const file = decodedPath(request.url);
    if (API_PATHS.test(file)) throw new NotFoundError(`There is nothing at GET ${file}.`);
    if (await exists(file)) return void (await reply.sendFile(file, cacheFor(file)));
    // Assets carry a hash in their name: one that is not there is an old one, not a page.
    if (file.startsWith('/assets/')) throw new NotFoundError(`There is no file ${file}.`);
    if (!(await exists('/index.html'))) {
      throw new NotFoundError('The console is not built; run `npm run build` and reload.');
    }
    await reply.sendFile('/index.html', { maxAge: 0, immutable: false });
  }
}

/** Files under assets/ never change under one name; everything else is asked for again each time. */
const cacheFor = (file: string) =>
  file.startsWith('/assets/') ? { maxAge: '365d', immutable: true } : { maxAge: 0, immutable: false };

function decodedPath(url: string): string {
  try {
    return path.posix.normalize(decodeURIComponent(url.split('?')[0]));
  } catch {
    throw new NotFoundError('The address is not readable.');
  }
}

async function exists(file: string): Promise<boolean> {
  if (file.endsWith('/') || file.includes('\0') || file.includes('/.')) return false;
  return access(path.join(CONSOLE_FOLDER, file)).then(
    () => true,
    () => false,
  );
}
