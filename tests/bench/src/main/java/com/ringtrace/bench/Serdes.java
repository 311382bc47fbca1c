package com.ringtrace.bench;

import static org.apache.kafka.common.serialization.Serdes.serdeFrom;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Serde;

/** How Kafka Streams reads events, and keeps calls. */
final class Serdes {
    private interface Conversion<From, To> {
        To apply(From from) throws IOException;
    }

    private Serdes() {}

    /** Events, which are only read. */
    static Serde<Event> event() {
        return serde(event -> null, Event::parse);
    }

    /** Calls as JSON, by a binding. */
    static Serde<Call> json() {
        ObjectMapper mapper = new ObjectMapper();
        ObjectWriter writer = mapper.writerFor(Call.class);
        ObjectReader reader = mapper.readerFor(Call.class);
        return serde(writer::writeValueAsBytes, reader::readValue);
    }

    /** Calls in binary. */
    static Serde<Call> binary() {
        return serde(CallCodec::write, CallCodec::read);
    }

    private static <T> Serde<T> serde(Conversion<T, byte[]> write, Conversion<byte[], T> read) {
        return serdeFrom((topic, value) -> convert(write, value), (topic, bytes) -> convert(read, bytes));
    }

    /** Null, which Kafka has for what is deleted, stays null. */
    private static <From, To> To convert(Conversion<From, To> conversion, From from) {
        try {
            return from == null ? null : conversion.apply(from);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
