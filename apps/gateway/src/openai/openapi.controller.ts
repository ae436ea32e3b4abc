import { openApiDocument } from '@attune/contracts';
import { Controller, Get } from '@nestjs/common';
import { Public } from '../auth/caller.js';

/** What this API is, for programs that write clients. */
@Controller('openapi.json')
@Public()
export class OpenApiController {
  private document?: ReturnType<typeof openApiDocument>;

  @Get()
  get() {
    return (this.document ??= openApiDocument());
  }
}
