// Names of common emoji, as written between colons in Slack texts. An unknown name stays as written.

const TABLE = `
+1 👍 -1 👎 thumbsup 👍 thumbsdown 👎 white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌
warning ⚠️ rotating_light 🚨 no_entry ⛔ no_entry_sign 🚫 octagonal_sign 🛑 stop_sign 🛑 construction 🚧
large_green_circle 🟢 large_yellow_circle 🟡 large_orange_circle 🟠 red_circle 🔴 large_blue_circle 🔵
white_circle ⚪ black_circle ⚫ large_purple_circle 🟣 large_green_square 🟩 large_red_square 🟥
large_yellow_square 🟨 white_large_square ⬜ black_large_square ⬛ hourglass ⌛ hourglass_flowing_sand ⏳
stopwatch ⏱️ timer_clock ⏲️ alarm_clock ⏰ clock3 🕒 calendar 📅 spiral_calendar_pad 🗓️ rocket 🚀 tada 🎉
eyes 👀 memo 📝 pencil 📝 pencil2 ✏️ clipboard 📋 bar_chart 📊 chart_with_upwards_trend 📈
chart_with_downwards_trend 📉 lock 🔒 unlock 🔓 key 🔑 gear ⚙️ wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️
bulb 💡 mag 🔍 link 🔗 paperclip 📎 pushpin 📌 round_pushpin 📍 package 📦 floppy_disk 💾 card_file_box 🗃️
file_cabinet 🗄️ database 🗄️ computer 💻 globe_with_meridians 🌐 satellite_antenna 📡 bell 🔔 no_bell 🔕
mega 📣 loudspeaker 📢 speech_balloon 💬 email 📧 telephone_receiver 📞 pager 📟 fire 🔥 boom 💥 zap ⚡
bug 🐛 shield 🛡️ information_source ℹ️ question ❓ exclamation ❗ bangbang ‼️ arrow_right ➡️ arrow_left ⬅️
arrow_up ⬆️ arrow_down ⬇️ arrow_forward ▶️ rewind ⏪ fast_forward ⏩ leftwards_arrow_with_hook ↩️
arrow_right_hook ↪️ repeat 🔁 arrows_counterclockwise 🔄 double_vertical_bar ⏸️ pause_button ⏸️
black_square_for_stop ⏹️ heavy_minus_sign ➖ heavy_plus_sign ➕ black_small_square ▪️ small_blue_diamond 🔹
wave 👋 raised_hand ✋ hand ✋ pray 🙏 clap 👏 ok_hand 👌 muscle 💪 point_right 👉 robot_face 🤖 heart ❤️
smile 😄 slightly_smiling_face 🙂 thinking_face 🤔 sweat_smile 😅 cry 😢 skull 💀 sos 🆘 checkered_flag 🏁
white_flag 🏳️ traffic_light 🚦 vertical_traffic_light 🚦 seedling 🌱 sparkles ✨ star ⭐ dart 🎯 test_tube 🧪
ladder 🪜 broom 🧹 wastebasket 🗑️ inbox_tray 📥 outbox_tray 📤 bookmark 🔖 scroll 📜 page_facing_up 📄
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ hash #️⃣ new 🆕 ok 🆗`;

const WORDS = TABLE.trim().split(/\s+/);
const EMOJI = new Map(WORDS.flatMap((word, index) => (index % 2 ? [] : [[word, WORDS[index + 1]]])));

/** The character for a name without its colons, or `undefined`. */
export function emojiFor(name) {
  return EMOJI.get(name.replace(/::skin-tone-\d$/, ""));
}
