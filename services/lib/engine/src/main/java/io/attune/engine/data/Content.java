package io.attune.engine.data;

import io.attune.engine.token.ChatMessage;
import java.util.List;

/** What a row says in one place: text as it is, or turns that the chat template writes. */
public sealed interface Content {

  record Text(String text) implements Content {}

  record Messages(List<ChatMessage> messages) implements Content {}
}
