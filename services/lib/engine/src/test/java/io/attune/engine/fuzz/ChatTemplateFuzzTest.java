package io.attune.engine.fuzz;

class ChatTemplateFuzzTest extends FuzzTarget {
  ChatTemplateFuzzTest() {
    super(new ChatTemplateFormat());
  }
}
