import { createBrowserRouter } from 'react-router';
import { AppLayout } from './layout/app-layout.js';
import { PageError } from './layout/page-error.js';

/** One line a page; each is loaded when first visited. */
export const router = createBrowserRouter([
  {
    path: '/',
    Component: AppLayout,
    ErrorBoundary: PageError,
    HydrateFallback: () => null,
    children: [
      { index: true, lazy: () => import('./routes/chat.js') },
      { path: 'c/:conversationId', lazy: () => import('./routes/chat.js') },
      { path: 'console', lazy: () => import('./routes/console-home.js') },
      { path: 'console/review', lazy: () => import('./routes/review.js') },
      { path: 'console/documents', lazy: () => import('./routes/documents.js') },
      { path: 'console/tuning', lazy: () => import('./routes/tuning.js') },
      { path: 'console/tuning/:jobId', lazy: () => import('./routes/tuning-job.js') },
      { path: 'console/checkpoints', lazy: () => import('./routes/checkpoints.js') },
      { path: 'console/keys', lazy: () => import('./routes/keys.js') },
      { path: '*', lazy: () => import('./routes/not-found.js') },
    ],
  },
]);
