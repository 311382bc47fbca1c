package com.ringtrace.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A call's state in binary, for Kafka's stores and for Flink's: fields in a fixed order, times only where there are any. */
final class CallCodec {
    /** More than all fixed fields of a call, or of a leg, take. */
    private static final int FIXED_BYTES = 64;

    private CallCodec() {}

    static byte[] write(Call call) {
        ByteBuffer out = ByteBuffer.allocate(mostBytes(call));
        putString(call.tenant, out);
        putString(call.callUuid, out);
        out.putLong(call.events).putLong(call.startedAt).putLong(call.lastAt).putLong(call.endedAt).putLong(call.wakeAt);
        out.putShort((short) call.legs.size());
        call.legs.forEach(leg -> putLeg(leg, out));
        return Arrays.copyOf(out.array(), out.position());
    }

    static Call read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Call call = new Call();
        call.tenant = string(in);
        call.callUuid = string(in);
        call.events = in.getLong();
        call.startedAt = in.getLong();
        call.lastAt = in.getLong();
        call.endedAt = in.getLong();
        call.wakeAt = in.getLong();
        for (int legs = in.getShort(); legs > 0; legs--) {
            call.legs.add(leg(in));
        }
        return call;
    }

    private static void putLeg(Leg leg, ByteBuffer out) {
        int present = 0;
        for (int at = 0; at < leg.first.length; at++) {
            present |= leg.first[at] == 0 ? 0 : 1 << at;
        }
        putString(leg.device, out);
        out.put((byte) (leg.voip ? 1 : 0)).put((byte) leg.verdict.ordinal()).put((byte) present);
        for (long time : leg.first) {
            if (time != 0) {
                out.putLong(time);
            }
        }
    }

    private static Leg leg(ByteBuffer in) {
        Leg leg = new Leg(string(in));
        leg.voip = in.get() != 0;
        leg.verdict = Verdict.ALL[in.get()];
        int present = in.get();
        for (int at = 0; at < leg.first.length; at++) {
            leg.first[at] = (present & 1 << at) == 0 ? 0 : in.getLong();
        }
        return leg;
    }

    private static void putString(String text, ByteBuffer out) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.putShort((short) bytes.length).put(bytes);
    }

    private static String string(ByteBuffer in) {
        int length = in.getShort();
        String text = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return text;
    }

    private static int mostBytes(Call call) {
        int bytes = FIXED_BYTES + mostBytes(call.tenant) + mostBytes(call.callUuid);
        for (Leg leg : call.legs) {
            bytes += FIXED_BYTES + mostBytes(leg.device);
        }
        return bytes;
    }

    /** UTF-8 has at most three bytes for each of Java's characters. */
    private static int mostBytes(String text) {
        return 3 * text.length();
    }
}
