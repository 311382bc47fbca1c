/// <reference types="vitest/config" />
import { defineConfig } from 'vite';

// `npm run dev` shows the data of a running `ringtrace up`.
const api = 'http://127.0.0.1:8080';

export default defineConfig({
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    license: { fileName: 'licenses.txt' },
  },
  server: { proxy: { '/api/v1': api } },
  preview: { proxy: { '/api/v1': api } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
