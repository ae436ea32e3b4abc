import { existsSync } from 'node:fs';

/** Where distributions and desktop systems put Chromium or Chrome. */
const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser the specs drive: CHROMIUM_PATH, else the first one found; undefined when there is none. */
export const chromiumPath: string | undefined =
  process.env.CHROMIUM_PATH ?? usualPlaces.find((place) => existsSync(place));

export const noChromium = 'no Chromium found: install one (apt-get install chromium) or set CHROMIUM_PATH';
