package io.attune.ingestion;
