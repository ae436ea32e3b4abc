import { Module } from '@nestjs/common';
import { DocumentsModule } from '../documents/documents.module.js';
import { ChatPlanner } from './chat-planner.js';
import { ChatService } from './chat.service.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionOpener } from './completion-opener.js';
import { LostCompletions } from './lost-completions.js';

@Module({
  imports: [DocumentsModule],
  providers: [ChatService, ChatPlanner, CompletionCloser, CompletionOpener, LostCompletions],
  exports: [ChatService],
})
export class ChatModule {}
