import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm run dev` finds a running gateway. */
const gateway = 'http://localhost:8080';

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['@attune/source', 'module', 'browser', 'development|production'] },
  server: { proxy: { '/api': gateway, '/v1': gateway, '/health': gateway } },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|react-router|scheduler)[\\/]/ },
            { name: 'mantine', test: /node_modules[\\/]@mantine[\\/]/ },
            { name: 'charts', test: /node_modules[\\/](recharts|d3-|victory-vendor|@reduxjs|immer|redux)/ },
          ],
        },
      },
    },
  },
});
