package com.ringtrace.bench;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The join as a keyed function of Flink: a row for each verdict that changes, by an event or by event time. */
final class FlinkJoin extends KeyedProcessFunction<String, Event, Row> {
    private transient ValueState<Call> calls;

    @Override
    public void open(OpenContext context) {
        calls = getRuntimeContext().getState(new ValueStateDescriptor<>("call", CallSerializer.INSTANCE));
    }

    @Override
    public void processElement(Event event, Context context, Collector<Row> out) throws Exception {
        Call known = calls.value();
        Call call = (known == null ? new Call() : known).apply(event);
        judge(call, context, context.timerService().currentWatermark(), out);
    }

    @Override
    public void onTimer(long at, OnTimerContext context, Collector<Row> out) throws Exception {
        Call call = calls.value();
        call.wakeAt = 0;
        if (call.isExpired(at)) {
            calls.clear();
        } else {
            judge(call, context, at, out);
        }
    }

    private void judge(Call call, Context context, long now, Collector<Row> out) throws Exception {
        call.judge(now, leg -> {
            Progress.row();
            out.collect(Row.of(call, leg));
        });
        long before = call.wakeAt;
        long at = call.moveTimer();
        if (at != before) {
            context.timerService().deleteEventTimeTimer(before);
            context.timerService().registerEventTimeTimer(at);
        }
        calls.update(call);
    }
}
