import { defineConfig } from 'vite'

// Everything the page loads, Monaco's workers included, comes out of this build and is served
// from our own origin under this path.
export default defineConfig({
  base: '/graphiql/',
  build: {
    chunkSizeWarningLimit: 4000, // Monaco is one piece, loaded after the page and cached for good
    rolldownOptions: { checks: { moduleLevelDirective: false } }, // "use client" means nothing here
  },
})
