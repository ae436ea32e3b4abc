import { UnavailableError } from '@attune/platform';
import { Injectable } from '@nestjs/common';

/** Whether the gateway is stopping: what runs goes on to its end, what is new is refused. */
@Injectable()
export class Draining {
  private draining = false;

  begin(): void {
    this.draining = true;
  }

  /** @throws UnavailableError when the gateway is stopping */
  expectRunning(): void {
    if (!this.draining) return;
    throw new UnavailableError('The server is stopping and takes nothing new; ask again, of another one if there is.', {
      code: 'server_stopping',
      retryAfterSeconds: 1,
    });
  }
}
