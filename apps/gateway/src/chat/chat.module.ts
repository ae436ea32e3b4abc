import { Module } from '@nestjs/common';
import { DocumentsModule } from '../documents/documents.module.js';
import { ChatService } from './chat.service.js';
import { CompletionCloser } from './completion-closer.js';
import { LostCompletions } from './lost-completions.js';

@Module({
  imports: [DocumentsModule],
  providers: [ChatService, CompletionCloser, LostCompletions],
  exports: [ChatService],
})
export class ChatModule {}
