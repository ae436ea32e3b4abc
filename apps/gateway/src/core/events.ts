import { EventEmitter } from 'node:events';
import type { DomainEvents } from '@attune/contracts';
import { Injectable } from '@nestjs/common';

/** Past facts of this process, by name; listeners must not throw. */
@Injectable()
export class EventBus {
  private readonly emitter = new EventEmitter();

  emit<Name extends keyof DomainEvents>(name: Name, fact: DomainEvents[Name]): void {
    this.emitter.emit(name, fact);
  }

  on<Name extends keyof DomainEvents>(name: Name, listener: (fact: DomainEvents[Name]) => void): void {
    this.emitter.on(name, listener);
  }
}
