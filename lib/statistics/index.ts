// Everything an evaluation says about chance, under one name.
export * from "./distributions";
export * from "./intervals";
export * from "./correlation";
export * from "./pairedTests";
export * from "./crossed";
export * from "./power";
