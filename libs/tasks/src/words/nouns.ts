/** Small closed word lists: a small model can learn how each word is spelled, counted and put in capitals. */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const animals = list(`cat dog horse cow pig sheep goat duck hen goose mouse rat rabbit fox wolf bear lion tiger
  monkey camel deer frog snake turtle whale shark crab bee ant spider owl eagle parrot swan`);
export const foods = list(`bread rice soup cheese pasta pizza cake honey salad butter jam pie egg ham sugar salt
  apple pear plum lemon banana grape melon carrot onion potato`);
export const plants = list(`rose tulip daisy lily oak pine birch maple fern moss cactus ivy palm willow bush grass`);
export const things = list(`table chair lamp clock cup plate spoon knife fork bottle box bag book pen pencil key
  door window mirror bed sofa radio camera phone hammer nail rope basket bucket candle brush bell`);
export const clothes = list(`shirt hat coat shoe sock scarf glove belt dress jacket`);
export const vehicles = list(`car bus train truck boat ship plane bike van tram`);
export const colours = list(`red blue green yellow purple orange black white brown pink grey silver`);
export const jobs = list(
  `teacher doctor nurse farmer baker pilot painter singer writer driver cook judge plumber gardener`,
);

/** Everything that can stand in a list of words. */
export const commonNouns = [...animals, ...foods, ...plants, ...things, ...clothes, ...vehicles];
/** Nouns one can have several of. */
export const countables = [...animals, ...things, ...clothes, ...vehicles];
