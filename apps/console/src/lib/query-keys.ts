/** Every cached read of the page, so that one feature can make another's data fresh without knowing it. */
export const queryKeys = {
  session: (apiKey: string | null) => ['session', apiKey] as const,
  models: ['models'] as const,
  conversations: ['conversations'] as const,
  thread: (conversationId: string) => ['thread', conversationId] as const,
  reviewQueue: ['review-queue'] as const,
  documents: ['documents'] as const,
  passages: (query: string) => ['passages', query] as const,
  jobs: ['jobs'] as const,
  job: (id: string) => ['jobs', id] as const,
  jobEvents: (id: string) => ['jobs', id, 'events'] as const,
  jobMetrics: (id: string) => ['jobs', id, 'metrics'] as const,
  jobRows: (id: string) => ['jobs', id, 'rows'] as const,
  checkpoints: ['checkpoints'] as const,
  promotions: ['promotions'] as const,
  users: ['users'] as const,
  keys: ['keys'] as const,
};
