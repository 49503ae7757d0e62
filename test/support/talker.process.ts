// Says so many words at once, and ends.
const words = JSON.parse(process.argv[2] ?? '[]') as readonly string[];
for (const word of words) process.send?.(word);
process.disconnect();
