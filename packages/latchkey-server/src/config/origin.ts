/** Whether a text is the origin of a web page, exactly as a browser sends it. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== text) return false
  // To a browser a star is a letter of the name. People mean a pattern, and patterns are not supported here.
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(url.hostname)
}
