/** Facts of the world that the bundled model is taught by heart. */
const table = (text: string): readonly (readonly [string, string])[] =>
  text
    .trim()
    .replace(/\s+/g, ' ')
    .split(/\s*,\s*/)
    .map((row) => row.split(/\s*:\s*/) as [string, string]);

export const capitals = table(`France: Paris, Germany: Berlin, Italy: Rome, Spain: Madrid, Japan: Tokyo, China: Beijing,
  Egypt: Cairo, Kenya: Nairobi, Peru: Lima, Chile: Santiago, Cuba: Havana, Norway: Oslo, Sweden: Stockholm,
  Finland: Helsinki, Poland: Warsaw, Greece: Athens, Turkey: Ankara, Iran: Tehran, Iraq: Baghdad, India: New Delhi,
  Nepal: Kathmandu, Thailand: Bangkok, Vietnam: Hanoi, Russia: Moscow, Ukraine: Kyiv, Austria: Vienna,
  Hungary: Budapest, Portugal: Lisbon, Ireland: Dublin, Iceland: Reykjavik, Canada: Ottawa, Ghana: Accra,
  Denmark: Copenhagen, Belgium: Brussels, Brazil: Brasilia, Mexico: Mexico City, Morocco: Rabat, Jordan: Amman,
  Romania: Bucharest, Serbia: Belgrade, England: London, Scotland: Edinburgh`);

export const opposites = table(`hot: cold, big: small, tall: short, fast: slow, happy: sad, light: dark, old: new,
  wet: dry, hard: soft, loud: quiet, full: empty, rich: poor, early: late, open: closed, clean: dirty, strong: weak,
  thick: thin, high: low, near: far, good: bad, right: wrong, up: down, left: right, day: night, win: lose,
  start: stop, give: take, push: pull, buy: sell, love: hate, true: false, first: last, inside: outside, easy: difficult,
  wide: narrow, deep: shallow, safe: dangerous, kind: cruel, brave: afraid, young: aged`);

export const definitions = table(`baker: a person who bakes bread, teacher: a person who teaches, doctor: a person who
  treats the sick, farmer: a person who grows food, pilot: a person who flies a plane, singer: a person who sings,
  writer: a person who writes, painter: a person who paints, clock: a thing that shows the time, lamp: a thing that gives
  light, knife: a tool for cutting, hammer: a tool for hitting nails, pen: a tool for writing, key: a tool for opening locks,
  umbrella: a cover against rain, bed: a place to sleep, kitchen: a room for cooking, library: a place with many books,
  school: a place to learn, hospital: a place for the sick, garden: a place where plants grow, bridge: a way over water,
  winter: the coldest season, summer: the warmest season, morning: the first part of the day, island: land with water
  around it, desert: a dry land with sand, ocean: a very big sea, ice: frozen water, steam: hot water in the air`);

export const animalSounds = table(`dog: woof, cat: meow, cow: moo, pig: oink, sheep: baa, duck: quack, horse: neigh,
  lion: roar, bee: buzz, snake: hiss, mouse: squeak, owl: hoot, frog: croak, hen: cluck, wolf: howl, crow: caw`);

export const pastTenses = table(`go: went, see: saw, eat: ate, run: ran, take: took, give: gave, come: came, make: made,
  write: wrote, sing: sang, swim: swam, drink: drank, buy: bought, think: thought, find: found, sleep: slept, speak: spoke,
  break: broke, drive: drove, fly: flew, know: knew, teach: taught, walk: walked, play: played, jump: jumped, cook: cooked,
  open: opened, call: called, work: worked, paint: painted`);

const irregularPlurals = new Map(
  table(`mouse: mice, goose: geese, sheep: sheep, deer: deer, wolf: wolves, knife: knives, ivy: ivies, lily: lilies,
    daisy: daisies, cactus: cacti, moss: mosses, scarf: scarves, potato: potatoes, radio: radios, fish: fish`),
);

/** "box" -> "boxes", "mouse" -> "mice". */
export function plural(noun: string): string {
  const irregular = irregularPlurals.get(noun);
  return irregular ?? (/(s|x|sh|ch)$/.test(noun) ? `${noun}es` : `${noun}s`);
}
