#include "base/check.h"
#include "enrol_files.h"
#include "loop_parts.h"
#include "sensor_file.h"
#include "store_work.h"

namespace {

void on_work(uv_work_t* request) {
    Loop& loop = loop_of(request->loop);
    Wish& wish = static_cast<Work*>(request->data)->wish;
    if (store_work_is_for(wish)) {
        store_work_run(*loop.store, wish);
    } else if (wish.kind == WishKind::sensor) {
        wish.outcome = sensor_file_read(wish.path, wish.memory, wish.size);
    } else if (wish.kind == WishKind::enrol) {
        enrol_files_work(*loop.store, *loop.server, wish);
    } else if (wish.kind == WishKind::reload) {
        Writer why = writer_of(wish.memory, wish.size);
        wish.outcome = loop.plan.reload(*loop.server, wish.number, why);
        wish.size = why.size;
    } else {
        server_wish_run(*loop.server, wish);
    }
}

void on_work_done(uv_work_t* request, int status) {
    CHECK(status == 0);
    Loop& loop = loop_of(request->loop);
    Work& work = *static_cast<Work*>(request->data);
    const Wish wish = work.wish;
    pool_give(loop.works, static_cast<uint32_t>(&work - loop.works.slots));
    tell_time(loop);
    if (wish.kind == WishKind::hash) loop.password_arena_used = true;
    server_wish_done(*loop.server, wish);
}

void journal_thread(void* context) {
    Loop& loop = *static_cast<Loop*>(context);
    Journal& journal = loop.journal;
    for (;;) {
        uv_sem_wait(&journal.wanted);
        if (journal.stop) return;
        journal.outcome = store_write(*loop.store, journal.write);
        uv_async_send(&journal.done);
    }
}

void on_journal_done(uv_async_t* async) {
    Loop& loop = *static_cast<Loop*>(async->data);
    if (!loop.journal.busy) return;
    loop.journal.busy = false;
    tell_time(loop);
    server_write_done(*loop.server, loop.journal.outcome);
}

void on_warm(uv_work_t* request) { (void)request; }
void on_warmed(uv_work_t* request, int status) {
    (void)status;
    Work& work = *static_cast<Work*>(request->data);
    Pool<Work>& works = loop_of(request->loop).works;
    pool_give(works, static_cast<uint32_t>(&work - works.slots));
}

// Starts the pool's threads now, so that none is made after `ready`.
void warm_pool(Loop& loop) {
    Work& work = loop.works.slots[pool_take(loop.works)];
    work.request.data = &work;
    CHECK(uv_queue_work(&loop.uv, &work.request, on_warm, on_warmed) == 0);
    while (loop.works.taken > 0) uv_run(&loop.uv, UV_RUN_ONCE);
}

}  // namespace

int start_threads(Loop& loop) {
    Journal& journal = loop.journal;
    warm_pool(loop);
    int status = uv_async_init(&loop.uv, &journal.done, on_journal_done);
    journal.done.data = &loop;
    if (status == 0) status = uv_sem_init(&journal.wanted, 0);
    if (status == 0) status = uv_thread_create(&journal.thread, journal_thread, &loop);
    return status;
}

void stop_threads(Loop& loop) {
    loop.journal.stop = true;
    uv_sem_post(&loop.journal.wanted);
    uv_thread_join(&loop.journal.thread);
}

void take_wishes(Loop& loop) {
    Wish wish;
    while (loop.works.taken < loop.works.count && server_wish_take(*loop.server, wish)) {
        Work& work = loop.works.slots[pool_take(loop.works)];
        work.wish = wish;
        work.request.data = &work;
        CHECK(uv_queue_work(&loop.uv, &work.request, on_work, on_work_done) == 0);
    }
    const bool idle = server_password_arena_is_idle(*loop.server);
    if (loop.password_arena_used && idle) {
        const PasswordArena& arena = loop.server->password_arena;
        system_give_back(arena.memory, arena.size);
        loop.password_arena_used = false;
    }
}

void take_write(Loop& loop) {
    Journal& journal = loop.journal;
    if (journal.busy || !server_write_take(*loop.server, journal.write)) return;
    journal.busy = true;
    uv_sem_post(&journal.wanted);
}
