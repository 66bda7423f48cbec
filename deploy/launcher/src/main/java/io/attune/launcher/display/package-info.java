/** What the launcher shows: stages with their progress, and what a reader can do next. */
package io.attune.launcher.display;
