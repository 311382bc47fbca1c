package com.ringtrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.OffsetDateTime;

/** What the join needs of an event. Fields are public and mutable, as Flink's serializer for POJOs wants them. */
public final class Event {
    private static final JsonFactory JSON = new JsonFactory();

    public String tenant = "default";
    /** In lower case. */
    public String callUuid;
    /** Null where the event is the call's own. */
    public String device;
    /** Null where the event is counted only. */
    public Milestone milestone;
    /** Corrected time: milliseconds since the Unix epoch by the server's clock. */
    public long at;
    /** Whether it says that a VoIP push was sent or received. */
    public boolean voip;

    /** Reads an event's JSON token by token: nothing is built for the fields that the join does not need. */
    static Event parse(byte[] json) {
        Event event = new Event();
        long offsetMs = 0;
        boolean isOfCall = true;
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                if (value == JsonToken.VALUE_NULL) {
                    continue;
                }
                switch (field) {
                    case "tenant_id" -> event.tenant = parser.getText();
                    case "call_uuid" -> event.callUuid = parser.getText().toLowerCase();
                    case "device_id" -> event.device = parser.getText();
                    case "kind" -> event.milestone = Milestone.of(parser.getText());
                    case "occurred_at" -> event.at = time(parser, value);
                    case "clock_offset_ms" -> offsetMs = parser.getLongValue();
                    case "channel" -> event.voip = parser.getText().equals("apns_voip");
                    case "purpose" -> isOfCall = parser.getText().equals("incoming_call");
                    default -> parser.skipChildren();
                }
            }
        } catch (IOException error) {
            throw new IllegalArgumentException("an event is not JSON", error);
        }
        if (event.callUuid == null || event.at == 0) {
            throw new IllegalArgumentException("an event has no call_uuid or occurred_at");
        }
        event.at += offsetMs;
        if (!isOfCall) {
            event.milestone = null;
            event.voip = false;
        }
        return event;
    }

    /** The call that it belongs to. The part that differs comes first, for stores that compare keys. */
    String key() {
        return callUuid + '/' + tenant;
    }

    private static long time(JsonParser parser, JsonToken value) throws IOException {
        boolean isNumber = value == JsonToken.VALUE_NUMBER_INT;
        return isNumber ? parser.getLongValue() : OffsetDateTime.parse(parser.getText()).toInstant().toEpochMilli();
    }
}
