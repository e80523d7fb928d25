/** Text that build.mjs puts into the bundle, made small on the way. */
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.glsl" {
  const text: string;
  export default text;
}
