/** Whether a text is the origin of a web page, exactly as a browser sends it. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== text) return false
  // A browser takes a star for a letter of the name. People mean a pattern, which nothing here would follow.
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(url.hostname)
}
