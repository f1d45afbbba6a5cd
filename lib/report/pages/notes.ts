// In: an author's notes in Markdown. Out: their section of a report; nothing in them is fetched or run.
import MarkdownIt from "markdown-it";
import { markTurning } from "../escape";
import { Html } from "../markup";
import type { Section } from "./sections";

/** Pictures would have to be fetched; a link says where it leads and tells the other side nothing. */
const renderer = new MarkdownIt("default", { html: false, linkify: false }).disable("image");
const linkOpen = renderer.renderer.rules.link_open;
renderer.renderer.rules.link_open = (tokens, i, options, env, self) => {
  tokens[i].attrSet("rel", "noopener noreferrer");
  return linkOpen ? linkOpen(tokens, i, options, env, self) : self.renderToken(tokens, i, options);
};
/** Addresses of the web, of mail, and places in the page. */
renderer.validateLink = (address) => /^(https?:|mailto:|#)/i.test(address.trim());

export function notesSection(markdown: string): Section {
  const written = renderer.render(markTurning(markdown));
  const scrolling = written.replaceAll("<table>", '<div class="wrap"><table>').replaceAll("</table>", "</table></div>");
  return { id: "notes", title: "Author's notes", body: new Html(`<div class="notes">${scrolling}</div>`) };
}
