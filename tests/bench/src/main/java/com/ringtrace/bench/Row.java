package com.ringtrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.stream.Stream;

/** A leg's row as it goes to the output topic. */
public record Row(byte[] key, byte[] json) {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String[] TIMES =
            Stream.of(Milestone.ALL).map(milestone -> lower(milestone) + "_at").toArray(String[]::new);
    private static final String[] VERDICTS = Stream.of(Verdict.ALL).map(Row::lower).toArray(String[]::new);

    static Row of(Call call, Leg leg) {
        ByteArrayBuilder json = new ByteArrayBuilder(512);
        try (JsonGenerator row = JSON.createGenerator(json)) {
            row.writeStartObject();
            row.writeStringField("tenant_id", call.tenant);
            row.writeStringField("call_uuid", call.callUuid);
            row.writeStringField("device_id", leg.device);
            row.writeStringField("verdict", VERDICTS[leg.verdict.ordinal()]);
            row.writeNumberField("started_at", call.startedAt);
            row.writeNumberField("call_ended_at", call.endedAt);
            for (Milestone milestone : Milestone.ALL) {
                row.writeNumberField(TIMES[milestone.ordinal()], leg.at(milestone));
            }
            writeLatency(row, leg, "sent_to_received_ms", Milestone.SENT, Milestone.RECEIVED);
            writeLatency(row, leg, "received_to_reported_ms", Milestone.RECEIVED, Milestone.REPORTED);
            writeLatency(row, leg, "talk_ms", Milestone.ANSWERED, Milestone.ENDED);
            row.writeEndObject();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return new Row(call.callUuid.getBytes(StandardCharsets.ISO_8859_1), json.toByteArray());
    }

    private static void writeLatency(JsonGenerator row, Leg leg, String name, Milestone from, Milestone to) throws IOException {
        if (leg.has(from) && leg.has(to)) {
            row.writeNumberField(name, leg.at(to) - leg.at(from));
        }
    }

    private static String lower(Enum<?> word) {
        return word.name().toLowerCase(Locale.ROOT);
    }
}
